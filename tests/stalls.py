"""Whether the machine itself stood still, which makes time-outs of a test lie."""

import threading
import time

import attrs

TICK = 0.02


@attrs.define
class Stalls:
    """
    A watch over how late a thread is woken that asks for nothing but a short sleep.

    Args:
        longest: Seconds by which it was late at worst.
    """

    longest: float = 0.0
    _done: threading.Event = attrs.field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self):
        """Begin to watch."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error):
        """Stop."""
        self._done.set()
        self._thread.join()

    def _watch(self):
        before = time.monotonic()
        while not self._done.wait(TICK):
            now = time.monotonic()
            self.longest = max(self.longest, now - before - TICK)
            before = now


def unless_stalled(check, *, limit, tries=3):
    """
    Run a check whose time-outs need a machine that works.

    It is run again only if it failed and the machine was seen to stand still for longer
    than *limit* seconds meanwhile; what fails on a machine that works fails at once.
    """
    for left in reversed(range(tries)):
        with Stalls() as stalls:
            try:
                return check()
            except AssertionError:
                if not left or stalls.longest < limit:
                    raise
    return None
