"""What was put into a server, and what has to come out, counted in plain Python."""

import copy
import http.client
import json
from collections import defaultdict
from urllib.parse import urlencode, urlsplit

import attrs


@attrs.frozen
class Row:
    """A line of a ticket as it has to come out; amounts in minor units."""

    ticket: str
    day: str
    store: str
    member: str | None
    item: str
    quantity: int
    amount: int
    returned: str | None = None


@attrs.define
class Truth:
    """All that is in the server now."""

    members: dict = attrs.field(factory=dict)
    """Name and phone by id."""
    stores: dict = attrs.field(factory=dict)
    """Name by id."""
    rows: list = attrs.field(factory=list)
    more: dict = attrs.field(factory=dict)
    """Of each further table its rows, as texts by the columns that are compared."""

    def written(self):
        """Return it as what JSON can hold."""
        return {
            "members": {each: list(own) for each, own in self.members.items()},
            "stores": dict(self.stores),
            "rows": [attrs.astuple(row) for row in self.rows],
            "more": copy.deepcopy(self.more),
        }

    @classmethod
    def read(cls, written):
        """Return what `written` gave."""
        return cls(
            members={each: tuple(own) for each, own in written["members"].items()},
            stores=dict(written["stores"]),
            rows=[Row(*row) for row in written["rows"]],
            more=written.get("more", {}),
        )

    def figures(self, month):
        """
        Count a month: by ``chain`` and store its sales, tickets and buyers.

        A linked return belongs to the day, store and member of its ticket; a ticket
        of which nothing is left is none.
        """
        first = {}
        for row in self.rows:
            first.setdefault(row.ticket, row)
        net = defaultdict(int)
        for row in self.rows:
            owner = first.get(row.returned) or first[row.ticket]
            if owner.day.startswith(month):
                net[owner.ticket] += row.amount
        figures = {}
        for key in ("chain", *sorted({first[ticket].store for ticket in net})):
            of = {t: n for t, n in net.items() if key in {"chain", first[t].store}}
            bought = [first[t] for t, n in of.items() if n > 0]
            figures[key] = {
                "sales": sum(of.values()),
                "tickets": len(bought),
                "member_sales": sum(n for t, n in of.items() if first[t].member),
                "member_tickets": sum(1 for row in bought if row.member),
                "consuming_members": len({r.member for r in bought if r.member}),
            }
        return figures


class Caller:
    """Speaks JSON with a server, in another way than the sources do."""

    def __init__(self, url):
        self._place = urlsplit(url)
        self.headers = {}
        self.answered = {}

    def call(self, method, path, body=None, **params):
        """Make a request that has to succeed; return the answer's document."""
        if params:
            path = f"{path}?{urlencode(params)}"
        connection = http.client.HTTPConnection(
            self._place.hostname, self._place.port, timeout=120
        )
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json", **self.headers},
            )
            answer = connection.getresponse()
            text = answer.read()
            self.answered = dict(answer.getheaders())
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None
