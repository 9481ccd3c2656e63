"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

#: Called something that they are not, and why.
WRONG_NOW: Mapping[str, str] = {}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset()
