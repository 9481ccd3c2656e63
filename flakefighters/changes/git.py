"""Asking git: with a deadline, without prompts, and without believing it blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Answer", "Git", "is_commit"]


def is_commit(text: str | None) -> bool:
    """True for a whole object id as git writes it."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call of git gave; ``reason`` is one line of ours, None if all went well."""

    output: bytes = b""
    code: int = 0
    reason: str | None = None


class Git:
    """Runs git in ``folder``; every call is killed after ``limit`` seconds."""

    def __init__(self, folder: Path, limit: float = 5.0):
        raise NotImplementedError

    def ask(self, *arguments: str, stdin: bytes | None = None) -> Answer:
        """Run one command.  Never raises for what git does."""
        raise NotImplementedError

    def ask_together(self, *commands: Sequence[str]) -> list[Answer]:
        """Run several commands side by side."""
        raise NotImplementedError
