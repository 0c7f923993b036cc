"""
The ``memberops`` command: thin, it prints what the library returns.

Exit status: 0; 1 if there are findings of a chosen severity; 2 for wrong use, with
one line that says what was wrong.
"""

import logging
import sys
from collections.abc import Sequence

from memberops.cli.wrong_use import tell_wrong_use
from memberops.errors import MemberOpsError, MissingExtraError

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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show Chinese shows question marks, no traceback.
            stream.reconfigure(errors="replace")
    # A broken plugin is in the findings; its traceback belongs in a log.
    logging.getLogger("memberops").addHandler(logging.NullHandler())
    try:
        import cyclopts
        import rich  # noqa: F401 - the tables need it, and say so late
    except ImportError:
        return tell_wrong_use(MissingExtraError("the command / 命令行", "cli"))
    from memberops.cli.application import application

    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = application()(
            given, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except (MemberOpsError, cyclopts.CycloptsError) as error:
        return tell_wrong_use(error)
    except OSError as error:
        return tell_wrong_use(
            f"{error.filename or ''}: {error.strerror or error}".strip(": ")
        )
    return status if isinstance(status, int) else 0
