"""
The ``memberops`` command: thin, it prints what the library returns.

Exit status: 0; 1 if there are findings of a chosen severity; 2 for wrong use, with
one line that says what was wrong; 3 for a fault of the program, with its traceback.
"""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memberops.cli.wrong_use import FAULT, language_of_arguments, tell_wrong_use
from memberops.errors import MemberOpsError, MissingExtraError

if TYPE_CHECKING:
    from memberops.domain.values import Language

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: What follows the command's name; that of the process if None.

    Returns:
        The exit status.

    >>> main(["--version"])
    0.1.0
    0
    """
    _ready_streams()
    given = sys.argv[1:] if arguments is None else list(arguments)
    spoken = language_of_arguments(given)
    # A broken plugin is in the findings; its traceback belongs in a log.
    logging.getLogger("memberops").addHandler(logging.NullHandler())
    try:
        import cyclopts
        import rich  # noqa: F401 - the tables need it, and say so late
    except ImportError:
        return tell_wrong_use(MissingExtraError("the command / 命令行", "cli"), spoken)
    from memberops.cli.application import application

    try:
        return _status(
            application()(
                given,
                exit_on_error=False,
                print_error=False,
                result_action="return_value",
            )
        )
    except (MemberOpsError, cyclopts.CycloptsError, OSError, OverflowError) as error:
        return _told(error, spoken)
    except SystemExit:
        # The reader of a help text has seen enough: rich ends the process for that.
        return 0
    except Exception:  # noqa: BLE001 - 1 would say that there are findings
        traceback.print_exc()
        return FAULT


def _status(given: object) -> int:
    return given if isinstance(given, int) else 0


def _told(error: Exception, spoken: "Language | None") -> int:
    """Tell wrong use in one line; a reader that has gone is none."""
    if isinstance(error, BrokenPipeError):
        return 0
    if isinstance(error, OSError):
        return tell_wrong_use(
            f"{error.filename or ''}: {error.strerror or error}".strip(": "), spoken
        )
    if isinstance(error, OverflowError):
        error = OverflowError("a day or number is too far away to count")
    return tell_wrong_use(error, spoken)


def _ready_streams() -> None:
    """Write UTF-8 where no terminal reads, and never fail for a missing character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the shell with >&-: nobody reads, and nothing fails.
            nobody = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - kept
            setattr(sys, name, nobody)
        elif hasattr(stream, "reconfigure"):
            # A terminal that cannot show Chinese shows question marks, no traceback.
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="replace")
