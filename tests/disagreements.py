"""
Cases of other systems that we decide otherwise on purpose: id and reason.

The ids are those of ``cases/peer_cases.json`` beside the project. The tests of each
part assert that its cases here really disagree, and that no other does.
"""

DISAGREEMENTS: tuple[tuple[str, str], ...] = (
    (
        "MEM-V6",
        (
            "CiviCRM lets 29 February + 1 year overflow to 1 March; HQ §4.2 renews it "
            "on 28 February, so the term's last day is 27 February, as OCA has it."
        ),
    ),
    (
        "MEM-V7",
        (
            "CiviCRM lets 31 January + 1 month overflow to 2 March; months clamp "
            "here, so the next term begins on 29 February 2024 and the first ends on "
            "the 28th, as OCA has it."
        ),
    ),
    (
        "MEM-S11",
        (
            "CiviCRM lets the end of January + 1 month overflow to 3 March; months "
            "clamp here, so a month of grace from 31 January ends on 28 February and "
            "the member is expired on 3 March."
        ),
    ),
    (
        "MEM-P5",
        (
            "OCA's pro-rata leaves out the day of joining (3 of 7 days); the day is "
            "used, so it is paid: 4/7, exact."
        ),
    ),
    (
        "MEM-P6",
        (
            "OCA's pro-rata leaves out the day of joining (15 of 30 days); the day is "
            "used, so it is paid: 16/30, exact."
        ),
    ),
    (
        "SLA-Z5.6",
        (
            "Zammad asserts 09:27:00, for it keeps the edges of pauses in whole "
            "minutes; the exact answer, which the file expects, is 09:26:36."
        ),
    ),
    (
        "STK-R1",
        (
            "After the cancelled count ERPNext's test, which switches reposting off, "
            "asserts 10 and 11 though the receipt of 10 before it is still on file; "
            "a full replay gives 20 and 21. Its earlier figures are ours."
        ),
    ),
)
