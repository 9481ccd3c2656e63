"""What runs code of the project where no tracer sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["unseen"]

_COMPILED: Final = "{} compiles functions, which cannot be watched"
_ELSEWHERE: Final = "code in other interpreters of the process cannot be watched"

#: A loaded module to why there may be more than was seen.
_MODULES: Final = {
    # These follow calls into any function; what others compile is marked for it.
    "jax": _COMPILED.format("jax"),
    "torch._dynamo.eval_frame": _COMPILED.format("torch.compile"),
    "_interpreters": _ELSEWHERE,
    "_xxsubinterpreters": _ELSEWHERE,
    "concurrent.interpreters": _ELSEWHERE,
}


def unseen() -> Iterator[str]:
    """The reasons that hold in this process now."""
    for module, reason in _MODULES.items():
        if module in sys.modules:
            yield reason
    if _greenlets():
        yield "greenlets were used, which go on unseen"


def _greenlets() -> bool:
    """Whether any were; libraries import the module for the case that they are."""
    module: Any = sys.modules.get("greenlet._greenlet")
    if module is None:
        return False
    count = getattr(module, "get_total_main_greenlets", None)
    return count is None or count() > 0
