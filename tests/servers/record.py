"""
Record anew what a real server answers, for the tests that need none.

``python tests/servers/record.py tryton`` writes ``data/pos/recorded/tryton.json``:
a small shop of made-up people read whole, changed, and read again. It holds no address
of the server and no secret.
"""

import json
import sys
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from memberops.adapters.sms.http import HttpClient  # noqa: E402 - after the path
from pos_checks import CONTEXT, Recorder, read_changed, read_whole  # noqa: E402
from servers import kinds  # noqa: E402


def record(name):
    """Run a server, and write down what it says."""
    kind = kinds.KINDS[name]
    with kind.server() as running:
        shop = kind.shop(running).fill(members=8, sales=6)
        first = shop.truth.written()
        secrets = [value() for value in shop.options().values() if callable(value)]
        recorder = Recorder([running.url, *secrets])
        request = HttpClient.request
        source = kind.source(CONTEXT, **shop.options(), overlap_seconds=0)

        def recorded(client, method, url, **more):
            return recorder(client, request, method, url, **more)

        with mock.patch.object(HttpClient, "request", recorded):
            frames, before = read_whole(source, kind.tables)
            shop.change()
            read_changed(source, frames, before)
    options = {
        name: value
        for name, value in shop.options().items()
        if name != "url" and not callable(value)
    }
    recording = {
        "server": running.version,
        "how": f"python tests/servers/record.py {name}",
        "options": options,
        "month": shop.month,
        "first": first,
        "then": shop.truth.written(),
        "exchanges": recorder.exchanges,
    }
    path = HERE.parent / "data" / "pos" / "recorded" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recording, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    record(sys.argv[1])
