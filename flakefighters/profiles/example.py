"""The commented ``profiles.toml`` that `flakefighters init` writes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["text"]


def text() -> str:
    """The file's text; ``profiles.example.toml`` of the source tree is the same."""
    return Path(__file__).with_name("example.toml").read_text(encoding="utf-8")
