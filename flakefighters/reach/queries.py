"""Which statements of SQL alter nothing."""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["ASKING", "only_asks"]

#: Statements of SQL that alter nothing.
ASKING: Final = ("describe", "explain", "pragma", "select", "show", "with")


def only_asks(call: ast.Call) -> bool:
    """``connection.execute("select ...")``."""
    text = call.args[0] if call.args else None
    if isinstance(text, ast.JoinedStr) and text.values:
        text = text.values[0]
    if isinstance(text, ast.Call) and text.args:
        text = text.args[0]  # sqlalchemy.text("select ...")
    return (
        isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and text.value.lstrip().lower().startswith(ASKING)
    )
