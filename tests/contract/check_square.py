"""
Hold the source of Square, and its answers made by hand, against Square's description.

Run by hand, with the file ``api.json`` of
https://github.com/square/connect-api-specification, which is not part of this
project::

    python tests/contract/check_square.py path/to/api.json

Each request that the source makes, and each answer that it is tested with, has to fit
the schema of its operation: no field that Square does not know, each of its type, of
its enumeration and within its limits.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_pos_recorded import Recorded, square

_READINGS = {
    "sales": ("sales", {}),
    "members": ("members", {}),
    "stores": ("stores", {}),
    "consents": ("consents", {}),
    "points": ("gift_movements", {"movements": "points"}),
    "stock": ("gift_movements", {"items": ["ITEM1", "ITEM2"]}),
}
_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


class Description:
    """An OpenAPI description, as far as Square uses it."""

    def __init__(self, document):
        self._schemas = document["components"]["schemas"]
        self._paths = document["paths"]

    def operation(self, method, path):
        """Return the operation of a request."""
        return self._paths[path][method.lower()]

    def problems(self, schema, value, place="$"):
        """Yield what is wrong with a value."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if value is None:
            if not schema.get("nullable"):
                yield f"{place} is null"
            return
        kind = schema.get("type", "object")
        wanted = _TYPES[kind]
        if not isinstance(value, wanted) or (
            kind in {"integer", "number"} and isinstance(value, bool)
        ):
            yield f"{place} is no {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is {value!r}, which is none of its words"
        if kind == "integer":
            yield from self._in_limits(schema, value, place)
        if kind == "array":
            for at, each in enumerate(value):
                yield from self.problems(schema["items"], each, f"{place}[{at}]")
        if kind == "object":
            yield from self._in_fields(schema, value, place)

    @staticmethod
    def _in_limits(schema, value, place):
        least, most = schema.get("minimum", value), schema.get("maximum", value)
        if not least <= value <= most:
            yield f"{place} is {value}, not {least} to {most}"

    def _in_fields(self, schema, value, place):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place} lacks {name}"
        for name, each in value.items():
            if name not in known:
                yield f"{place}.{name} is not known"
            else:
                yield from self.problems(known[name], each, f"{place}.{name}")


def check(path):
    """Return all problems of requests and answers."""
    description = Description(json.loads(Path(path).read_text("utf-8")))
    found = []
    count = 0
    for recorded, (table, options) in _READINGS.items():
        with Recorded("square", recorded) as shop:
            answers = [each["answer"] for each in shop.left]
            source = square(shop.url, sleep=lambda _: None, **options)
            cursor = source.changes(table, since=None).cursor
            if shop.left:
                source.changes(table, since=cursor)
            seen = shop.seen
        for request, answer in zip(seen, answers, strict=True):
            parts = urlsplit(request.target)
            operation = description.operation(request.method, parts.path)
            count += 1
            if request.method == "POST":
                schema = operation["requestBody"]["content"]["application/json"]
                found += description.problems(
                    schema["schema"], json.loads(request.body), f"{parts.path} request"
                )
            schema = operation["responses"]["200"]["content"]["application/json"]
            found += description.problems(
                schema["schema"], answer, f"{parts.path} answer"
            )
    return count, found


if __name__ == "__main__":
    exchanges, problems = check(sys.argv[1])
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{exchanges} exchanges, {len(problems)} problems\n")
    sys.exit(bool(problems))
