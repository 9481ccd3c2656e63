"""Door 2: the command ``flakefighters``.  Every group of commands has a file of its own."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (None: the process's) and return its exit code."""
    from flakefighters.cli.app import run

    return run(arguments)
