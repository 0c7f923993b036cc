"""
An Odoo and a Frappe on this machine, which answer as their documentation says.

Made by hand from the published documentation and the public source of both, as the
sources of them were; neither was recorded from a real server. All names, phones and
ids are invented.
"""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

from memberops.testing.faulty_gateway_server import GatewayAnswer, LoopbackServer

DATE = "Mon, 09 Nov 2026 08:00:00 GMT"
_LISTS = {"=": "__eq__", ">": "__gt__", ">=": "__ge__"}


class RefusalError(Exception):
    """What a server says where it gives nothing, and its status."""

    def __init__(self, status, said):
        super().__init__(status)
        self.status = status
        self.said = said


def _value(record, path):
    for step in path.split("."):
        record = record.get(step) if isinstance(record, dict) else None
    return record.get("id") if isinstance(record, dict) else record


def _holds(record, leaf):
    path, operator, wanted = leaf
    value = _value(record, path)
    if operator == "in":
        return value in wanted
    if operator == "like":
        return wanted.strip("%").lower() in str(value or "").lower()
    return value is not None and getattr(value, _LISTS[operator])(wanted) is True


def _fits(record, domain):
    """Evaluate a domain in Polish notation, whose terms are joined by "and"."""
    terms = []
    for term in reversed(domain):
        if term == "|":
            pair = terms.pop(), terms.pop()
            terms.append(any(pair))
        else:
            terms.append(_holds(record, term))
    return all(terms)


def _seen(record, specification):
    """Show the fields that were asked for; an unknown one is an error, as there."""
    shown = {"id": record["id"]}
    for name, part in specification.items():
        value = record[name]
        inner = part.get("fields")
        if isinstance(value, dict) and inner is not None:
            value = _seen(value, inner)
        shown[name] = value
    return shown


class ErpServer:
    """A server with records by model or kind of document, and faults to come."""

    def __init__(self, answers):
        self.records = {}
        self.faults = []
        self.page = 100
        self.missing = set()
        self.forbidden = set()
        self.asked = []
        self._answers = answers
        self.server = LoopbackServer(self._serve)

    @property
    def url(self):
        """Where it is."""
        return self.server.url

    def __enter__(self):
        """Serve."""
        return self

    def __exit__(self, *_error):
        """Stop."""
        self.server.close()

    def _serve(self, request, connection):
        fault = self.faults.pop(0) if self.faults else ""
        if fault.isdigit():
            connection.answer(GatewayAnswer(body=b"{}", status=int(fault)))
            return
        parts = urlsplit(request.target)
        said = json.loads(request.body or b"{}")
        query = dict(parse_qsl(parts.query))
        try:
            found = self._answers(self, unquote(parts.path), query, said)
            status = 404 if found is None else 200
        except RefusalError as refusal:
            found, status = refusal.said, refusal.status
        body = json.dumps(found or {}).encode()
        answer = GatewayAnswer(body=body, status=status, headers={"Date": DATE})
        if fault == "half":
            connection.half(answer)
        else:
            connection.answer(answer)


def odoo_answers(world, path, _params, said):
    """Answer as Odoo does to ``web_search_read``, by JSON-2 or JSON-RPC."""
    if path == "/jsonrpc":
        call = said["params"]
        if call["method"] == "authenticate":
            return {"result": 2}
        _database, _user, _key, model, method, _args, said = call["args"]
        try:
            return {"result": _searched(world, model, method, said)}
        except RefusalError as refusal:
            data = refusal.said
            if refusal.status == 404:
                said = f"Object {model} doesn't exist"
                data = {"name": "odoo.exceptions.UserError", "message": said}
            return {"error": {"code": 0, "message": "Odoo Server Error", "data": data}}
    _, _, _, model, method = path.split("/")
    return _searched(world, model, method, said)


def _searched(world, model, method, said):
    assert method == "web_search_read"
    if model in world.forbidden:
        said = f"You are not allowed to access 'List' ({model}) records."
        raise RefusalError(
            403, {"name": "odoo.exceptions.AccessError", "message": said}
        )
    if model.startswith("mailing.") and model not in world.records:
        said = f"the model '{model}' does not exist"
        raise RefusalError(
            404, {"name": "werkzeug.exceptions.NotFound", "message": said}
        )
    assert said["order"] == "id asc"
    world.asked.append((model, said))
    archived = said.get("context", {}).get("active_test") is False
    found = [
        _seen(each, said["specification"])
        for each in sorted(world.records.get(model, ()), key=lambda one: one["id"])
        if (archived or each.get("active", True)) and _fits(each, said["domain"])
    ]
    return {"length": len(found), "records": found[: min(said["limit"], world.page)]}


def frappe_answers(world, path, params, _said):
    """Answer as Frappe does to the list of a kind of documents, or one of them."""
    _, _, _, doctype, *name = path.split("/", 4)
    if doctype in world.forbidden:
        raise RefusalError(403, {"exc_type": "PermissionError"})
    documents = world.records.get(doctype, {})
    if name:
        world.asked.append((doctype, name[0]))
        document = None if name[0] in world.missing else documents.get(name[0])
        return None if document is None else {"data": {"name": name[0], **document}}
    if doctype == "Contact Email":
        if params.get("parent") != "Contact":
            raise RefusalError(403, {"exc_type": "PermissionError"})
        documents = {**documents, **_contact_emails(world)}
    world.asked.append((doctype, params))
    assert params["order_by"] == "name asc"
    fields = json.loads(params["fields"])
    either = json.loads(params.get("or_filters", "[]"))
    found = [
        {
            field: value
            for field, value in {"name": name, **document}.items()
            if not isinstance(value, list) and (fields == ["*"] or field in fields)
        }
        for name, document in sorted(documents.items())
        if _fits({"name": name, **document}, json.loads(params["filters"]))
        and (not either or any(_holds(document, leaf) for leaf in either))
    ]
    return {"data": found[: min(int(params["limit_page_length"]), world.page)]}


def _contact_emails(world):
    """Return the rows of contacts that hold their addresses."""
    return {
        f"{name}-{at}": {"parent": name, "parenttype": "Contact", **row}
        for name, contact in world.records.get("Contact", {}).items()
        for at, row in enumerate(contact.get("email_ids", ()))
    }
