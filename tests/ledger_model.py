"""
A second ledger, written from the promises alone: a list, and brute force.

It shares no code with memberops.ledger: it takes plain dicts and answers with words.
A record is a dict with "key", "type" and its fields; moments are whole hours.
"""

LIMIT = 2**63 - 1
OVER = "adjustment:over_receipt:S1:A:1"
OWN = ("warehouse", "store", "in_transit", "wallet")


def is_own(place):
    """Tell if stock there may not fall below zero."""
    return place.split(":")[0] in OWN


class Model:
    """What was accepted, as a list of (sequence, record); answers by running it all."""

    def __init__(self):
        self.log = []
        self.said = {}

    def write(self, record):
        """Answer a record with (word, sequence or None), and keep what is kept."""
        if record["key"] in self.said:
            known, word, sequence = self.said[record["key"]]
            if known != record:
                return "KeyConflictError", None
            return ("replayed", sequence) if word == "posted" else (word, None)
        word = getattr(self, f"judge_{record['type']}")(record)
        if word not in {"posted", "OutOfStockError"}:
            return word, None
        sequence = len(self.log) + 1
        self.log.append((sequence, record if word == "posted" else None))
        self.said[record["key"]] = (record, word, sequence)
        return word, sequence if word == "posted" else None

    def records(self, kind):
        """List what was accepted of one type."""
        return [r for _, r in self.log if r is not None and r["type"] == kind]

    def judge_closing(self, record):
        """A period may always be closed."""
        return "posted"

    def judge_posting(self, record):
        """Lots, then reversals, closings, holds, size, and stock last."""
        expiries = {}
        for old in [*self.records("posting"), record]:
            for gift, lot, expiry, *_ in old["moves"]:
                if lot and expiries.setdefault((gift, lot), expiry) != expiry:
                    return "LotConflictError"
        if record["reverses"] is not None:
            word = self.judge_reversal(record)
            if word:
                return word
        elif record["back"] is not None:
            word = self.judge_return(record)
            if word:
                return word
        if not record["late"] and any(
            record["hour"] < c["before"] and self.touches(c, record)
            for c in self.records("closing")
        ):
            return "ClosedPeriodError"
        if record["hold"] is not None and not self.may_use(record):
            return "HoldError"
        return self.judge_stock(record)

    def judge_reversal(self, record):
        """Only what was posted, once, exactly, and not before it was."""
        found = [r for r in self.records("posting") if r["key"] == record["reverses"]]
        if not found:
            return "UnknownPostingError"
        turned = [
            (g, lot, e, to, frm, n) for g, lot, e, frm, to, n in found[0]["moves"]
        ]
        if (
            found[0]["reverses"] is not None
            or any(r["reverses"] == found[0]["key"] for r in self.records("posting"))
            or turned != record["moves"]
            or record["hour"] < found[0]["hour"]
            or self.returns(found[0]["key"])
        ):
            return "ReversalError"
        return None

    def is_reversed(self, key):
        """Tell if a reversal took a posting back."""
        return any(r["reverses"] == key for r in self.records("posting"))

    def returns(self, key):
        """List what brought back some of a posting, and still stands."""
        return [
            r
            for r in self.records("posting")
            if r["back"] == key and not self.is_reversed(r["key"])
        ]

    def judge_return(self, record):
        """Only what was given and not taken back can come back, and not before."""
        found = [r for r in self.records("posting") if r["key"] == record["back"]]
        if not found:
            return "UnknownPostingError"
        early = record["hour"] < found[0]["hour"]
        return "ReversalError" if early or self.is_reversed(record["back"]) else None

    def exceeds(self, record):
        """Tell if all returns together would bring more than was given."""
        if record["back"] is None:
            return False
        rest = {}
        for old in self.records("posting"):
            if old["key"] == record["back"]:
                for gift, lot, _, _, destination, number in old["moves"]:
                    cell = gift, destination, lot
                    rest[cell] = rest.get(cell, 0) + number
        for each in [*self.returns(record["back"]), record]:
            for gift, lot, _, source, _, number in each["moves"]:
                rest[gift, source, lot] = rest.get((gift, source, lot), 0) - number
        return any(n < 0 for (_, place, _), n in rest.items() if place == "member")

    @staticmethod
    def touches(closing, record):
        """Tell if one of the places is closed."""
        if not closing["places"]:
            return True
        return any(
            place == closed or place.startswith(closed + ":")
            for _, _, _, source, destination, _ in record["moves"]
            for place in (source, destination)
            for closed in closing["places"]
        )

    def is_open(self, hold):
        """Tell if nothing used the hold or gave it up."""
        return not any(
            r.get("hold") == hold["key"]
            for r in self.records("posting") + self.records("release")
        )

    def find_hold(self, key):
        """Return an open hold, or None."""
        found = [h for h in self.records("hold") if h["key"] == key]
        return found[0] if found and self.is_open(found[0]) else None

    def may_use(self, record):
        """Tell if the hold is open, running, and covers what is taken."""
        hold = self.find_hold(record["hold"])
        if hold is None or record["hour"] < hold["hour"]:
            return False
        if hold["until"] is not None and record["hour"] >= hold["until"]:
            return False
        taken = -self.change(record, hold["cell"])
        return 0 < taken <= hold["quantity"]

    @staticmethod
    def change(record, cell):
        """Add up what a posting does to one (gift, place, lot)."""
        total = 0
        for gift, lot, _, source, destination, number in record["moves"]:
            total -= number if (gift, source, lot) == cell else 0
            total += number if (gift, destination, lot) == cell else 0
        return total

    def run(self, cell, hour):
        """List the balances of a cell at an hour, and after each later one."""
        balance, later = 0, {}
        for record in self.records("posting"):
            at, change = record["hour"], self.change(record, cell)
            if at > hour:
                later[at] = later.get(at, 0) + change
            else:
                balance += change
        balances = [balance]
        for at in sorted(later):
            balances.append(balances[-1] + later[at])
        return balances

    def kept(self, cell, hour, without):
        """Add up the open holds of a cell that end after an hour."""
        return sum(
            h["quantity"]
            for h in self.records("hold")
            if h["cell"] == cell
            and h["key"] != without
            and self.is_open(h)
            and (h["until"] is None or hour < h["until"])
        )

    def judge_stock(self, record):
        """No balance beyond 64 bits; then none of an own place below what is kept."""
        cells = {(g, place, lot) for g, lot, _, a, b, _ in record["moves"]
                 for place in (a, b)}  # fmt: skip
        word = "posted"
        for cell in cells:
            change = self.change(record, cell)
            after = [balance + change for balance in self.run(cell, record["hour"])]
            if any(abs(balance) > LIMIT for balance in after):
                return "BalanceOverflowError"
            kept = self.kept(cell, record["hour"], record["hold"])
            if change < 0 and is_own(cell[1]) and min(after) < kept:
                word = "OutOfStockError"
            if change > 0 and cell[1] == OVER and max(after) > 0:
                word = "OutOfStockError"
        return "OutOfStockError" if self.exceeds(record) else word

    def judge_hold(self, record):
        """Only what is there and not kept for others can be held."""
        if not is_own(record["cell"][1]):
            return "posted"
        low = min(self.run(record["cell"], record["hour"]))
        kept = self.kept(record["cell"], record["hour"], None)
        return "posted" if low - kept >= record["quantity"] else "OutOfStockError"

    def judge_release(self, record):
        """Only an open hold can be given up."""
        hold = self.find_hold(record["hold"])
        begun = hold is not None and record["hour"] >= hold["hour"]
        return "posted" if begun else "HoldError"

    def held(self, gift, place, hour):
        """Add up what was held there at an hour, whatever became of it since."""
        ends = {
            r["hold"]: r["hour"]
            for r in self.records("posting") + self.records("release")
        }
        return sum(
            h["quantity"]
            for h in self.records("hold")
            if h["cell"][:2] == (gift, place)
            and h["hour"] <= hour
            and (h["until"] is None or hour < h["until"])
            and hour < ends.get(h["key"], hour + 1)
        )

    def balances(self, hour=None, position=None):
        """Add up every cell as of an hour and a position; zeros left out."""
        sums = {}
        for sequence, record in self.log:
            if record is None or record["type"] != "posting":
                continue
            if hour is not None and record["hour"] > hour:
                continue
            if position is not None and sequence > position:
                continue
            for gift, lot, _, source, destination, number in record["moves"]:
                out, into = (gift, source, lot), (gift, destination, lot)
                sums[out] = sums.get(out, 0) - number
                sums[into] = sums.get(into, 0) + number
        return {cell: number for cell, number in sums.items() if number}
