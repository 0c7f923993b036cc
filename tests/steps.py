"""How much work something is, counted in lines of Python and not in time."""

import contextlib
import sys


class TooManyStepsError(AssertionError):
    """Something is more work than it may be."""


@contextlib.contextmanager
def at_most(lines):
    """
    Let what follows run at most so many lines of Python, then stop it.

    A clock says how busy the machine is; lines are the same on each, and what would
    never end is stopped. What C does within a line is not counted.
    """
    left = lines

    def trace(_frame, event, _argument):
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                raise TooManyStepsError(f"more than {lines} lines of Python were run")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
