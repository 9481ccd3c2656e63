"""What a trial needs to know of the session that failed, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flakefighters.records import NamedTuple

__all__ = ["Bench"]


class Bench(NamedTuple):
    """How to run a test as the session ran it."""

    #: The interpreter with its own options, and the arguments of pytest that are kept.
    python: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    #: Variables and ``sys.path`` as they were when the session began.
    environ: Mapping[str, str] = MappingProxyType({})
    path: tuple[str, ...] = ()
    #: Absolute folders: where pytest was started, its rootdir, what the history's paths are
    #: relative to; and its ini-file.
    cwd: str = "."
    rootdir: str = "."
    base: str = "."
    inipath: str | None = None
    #: Node ids as pytest writes them, where the history's are others.
    names: Mapping[str, str] = MappingProxyType({})
    #: Variables whose values are secrets.
    secret_env: tuple[str, ...] = ()
    #: Normalised names of the project's own distributions.
    own: tuple[str, ...] = ()
    #: What the session still holds while the trials run, None if nothing.
    held: str | None = None
    #: Which failures: "undecided" or "all".
    which: str = "undecided"
    #: How often a test is run alone; for how many tests and how many seconds altogether.
    times: int = 3
    tests: int = 20
    seconds: float = 20.0
    #: Patterns of node ids that are not to be run again.
    exclude: tuple[str, ...] = ()
