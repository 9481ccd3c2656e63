"""Modules that run a function's code without the interpreter, where no tracer sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["compiled_unseen"]

#: These compile what is marked for it: only a changed file that mentions them is concerned.
_MARKED: Final = ("numba", "taichi", "triton", "pythran", "codon")

#: These follow calls into any function and keep what they compiled.
_FOLLOWING: Final = {"torch._dynamo.eval_frame": "torch.compile", "jax": "jax"}


def compiled_unseen(files: Iterable[tuple[str, object]]) -> str | None:
    """Why changed code may have run unseen, None if it cannot; ``files`` by absolute path."""
    for module, name in _FOLLOWING.items():
        if module in sys.modules:
            return f"{name} runs compiled code that cannot be watched"
    marked = [name for name in _MARKED if name in sys.modules]
    if marked:
        for path, _ in files:
            try:
                text = Path(path).read_bytes()
            except OSError:
                continue
            for name in marked:
                if name.encode() in text:
                    return f"{name} compiles code of {Path(path).name}, which cannot be watched"
    return None
