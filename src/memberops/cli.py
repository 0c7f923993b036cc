"""The `memberops` command."""


def main() -> None:
    """Run the command."""
