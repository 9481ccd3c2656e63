"""From pytest's reports to plain facts.

The process that runs a test attaches what only it knows (the exception's type, whether a
property test failed, failing reports that were never logged) to the report as a private
attribute of plain data, which survives the way from an xdist worker to its controller.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from flakefighters.model import Failure, Phase
from flakefighters.records import NamedTuple

__all__ = [
    "ATTRIBUTE",
    "Describe",
    "Seen",
    "attachment",
    "describe_subtest",
    "is_subtest",
    "outcome_of",
    "read",
    "skip_reason",
    "state_env",
    "worker_of",
]

#: The private attribute on a report.
ATTRIBUTE: Final = "_flakefighters"

#: Turns a longrepr and what is attached to its report into (text, signature); both redacted.
Describe = Callable[[Any, Mapping[str, Any]], tuple[str, str]]

#: A report's ``when`` to its phase; what cannot be collected fails before any call, as in a setup.
_PHASES: Final = {"collect": Phase.SETUP, **{phase.value: phase for phase in Phase}}


class Seen(NamedTuple):
    """One report that is not a plain pass, as facts."""

    phase: Phase
    outcome: str  # "passed", "failed", "skipped"
    subtest: str | None = None
    #: The reason of an expected failure, None if none was expected.
    wasxfail: str | None = None
    failure: Failure | None = None
    #: Why it was skipped.
    reason: str | None = None
    #: True if the process that ran the test is gone.
    crashed: bool = False
    hidden: tuple[Seen, ...] = ()
    #: What the marker on the test asks for.
    marks: Mapping[str, Any] = MappingProxyType({})


def attachment(item: Any, call: Any, sequence: int) -> dict[str, Any]:
    """What only the process that ran the test knows of a report that did not pass."""
    known: dict[str, Any] = {"sequence": sequence}
    excinfo = call.excinfo
    if excinfo is not None:
        kind = excinfo.type
        module = getattr(kind, "__module__", None)
        name = getattr(kind, "__qualname__", str(kind))
        known["exception"] = name if module in (None, "builtins") else f"{module}.{name}"
        if getattr(item.config.option, "tbstyle", "auto") in ("no", "line"):
            from flakefighters.capture.signature import frames_of

            known["frames"] = [list(frame) for frame in frames_of(excinfo.tb)]
    function = getattr(item, "obj", None)
    if getattr(function, "is_hypothesis_test", False):
        known["property"] = True
    marks = _marks(item)
    if marks:
        known["marks"] = marks
    return known


def _marks(item: Any) -> dict[str, Any]:
    """What ``@pytest.mark.flakefighters(...)`` says, nearest first."""
    said: dict[str, Any] = {}
    for mark in item.iter_markers("flakefighters"):
        ignore = mark.kwargs.get("ignore")
        if ignore is not None and "ignore" not in said:
            said["ignore"] = (
                sorted(map(str, ignore)) if isinstance(ignore, (list, tuple, set)) else bool(ignore)
            )
        if "confirm" in mark.kwargs:
            said.setdefault("confirm", bool(mark.kwargs["confirm"]))
    return said


def state_env(items: Iterable[Any]) -> list[str]:
    """Names of variables that markers declare part of the environment, of all these tests."""
    names: set[str] = set()
    for item in items:
        for mark in item.iter_markers("flakefighters"):
            given = mark.kwargs.get("state_env", ())
            names.update([given] if isinstance(given, str) else map(str, given))
    return sorted(names)


def outcome_of(report: Any) -> str:
    """What a report was made as: "passed", "failed" or "skipped".

    Plugins that run tests again call an attempt what they like afterwards ("rerun", "retried"),
    even one that passed.
    """
    outcome = str(report.outcome)
    if outcome in ("passed", "failed", "skipped"):
        return outcome
    longrepr = report.longrepr
    if longrepr and (isinstance(longrepr, (tuple, list)) or hasattr(report, "wasxfail")):
        return "skipped"
    known: Mapping[str, Any] = getattr(report, ATTRIBUTE, None) or {}
    return "failed" if longrepr or "exception" in known else "passed"


def is_subtest(report: Any) -> bool:
    """Whether a report is of a part of a test; in pytest, in pytest-subtests, in unittest."""
    return hasattr(report, "context") and "subtest" in type(report).__name__.lower()


def worker_of(report: Any) -> str | None:
    """The xdist worker that a report comes from, None if it comes from none."""
    gateway = getattr(getattr(report, "node", None), "gateway", None)
    return str(getattr(gateway, "id", "")) or None


def describe_subtest(report: Any) -> str | None:
    """A subtest's message and parameters as pytest prints them, None for other reports."""
    context = getattr(report, "context", None)
    if context is None or not is_subtest(report):
        return None
    if isinstance(context, Mapping):
        message, parameters = context.get("msg"), context.get("kwargs") or {}
    else:
        message = getattr(context, "msg", None)
        parameters = getattr(context, "kwargs", None) or {}
    # xdist's controller makes the context anew, which may show what is shown already.
    kind: Any = type(context)
    again = hasattr(report, "node") and _shows(kind)
    parts = [f"[{message}]"] if message is not None else []
    if parameters:
        shown = ", ".join(f"{key}={_shown(value, again)}" for key, value in parameters.items())
        parts.append(f"({shown})")
    return " ".join(parts) or "(<subtest>)"


@cache
def _shows(kind: Any) -> bool:
    """Whether the context of a subtest turns its parameters into text each time it is made."""
    try:
        return bool(kind(msg=None, kwargs={"key": "text"}).kwargs["key"] != "text")
    except Exception:  # another plugin's, made in another way
        return False


def _shown(value: Any, again: bool) -> str:
    if not isinstance(value, str):
        return repr(value)
    if again:
        with contextlib.suppress(ValueError, SyntaxError):  # cut short by pytest
            once = ast.literal_eval(value)
            return once if isinstance(once, str) else value
    return value


def skip_reason(longrepr: Any) -> str | None:
    """The reason of a skip, freed of pytest's own "Skipped: "."""
    if isinstance(longrepr, (tuple, list)) and len(longrepr) == 3:
        return str(longrepr[2]).removeprefix("Skipped: ")
    return str(longrepr) if longrepr else None


#: Failures that say more of the machine than of the code: (end of the exception's name, text).
_LIMITS: Final = (
    ("memory", "MemoryError", ""),
    ("timeout", "Failed", "from pytest-timeout"),
)


def _limit(crashed: bool, exception: str | None, text: str) -> str | None:
    """What ended a test from outside: "crash", "memory", "timeout"; None: it ended itself."""
    if crashed:
        return "crash"
    for limit, ending, words in _LIMITS:
        if (exception or "").endswith(ending) and words in text:
            return limit
    return None


class _Hidden:
    """A report that was made but never logged, as it travelled on a later one."""

    def __init__(self, plain: Mapping[str, Any]):
        self.when = plain["when"]
        self.outcome = plain["outcome"]
        self.longrepr = plain["longrepr"]
        setattr(self, ATTRIBUTE, plain["known"])


def read(report: Any, describe: Describe, clean: Callable[[str], str] = str) -> Seen:
    """The facts of one report.

    ``describe`` redacts and normalises the failure's text, ``clean`` redacts all other text.
    """
    known: Mapping[str, Any] = getattr(report, ATTRIBUTE, None) or {}
    when = getattr(report, "when", None)
    phase = _PHASES.get(str(when), Phase.CALL)
    outcome = outcome_of(report)
    failing = outcome == "failed"
    subtest = describe_subtest(report)
    subtest = None if subtest is None else clean(subtest)
    failure = None
    if failing:
        exception = known.get("exception")
        text, signature = describe(report.longrepr, known)
        facts: dict[str, Any] = {}
        for name in ("property", "trace"):
            if known.get(name) is not None:
                facts[name] = known[name]
        crashed = when not in _PHASES
        limit = _limit(crashed, exception, text)
        if limit is not None:
            facts["limit"] = limit
        if when == "collect":
            facts["collection"] = True
        failure = Failure(
            phase=phase,
            subtest=subtest,
            exception=exception,
            text=text,
            signature=signature,
            facts=facts,
        )
    wasxfail = getattr(report, "wasxfail", None)
    reason = skip_reason(report.longrepr) if outcome == "skipped" else None
    return Seen(
        phase=phase,
        outcome=outcome,
        subtest=subtest,
        # Older pytest writes "reason: " before what pytest.xfail() was told.
        wasxfail=None if wasxfail is None else clean(str(wasxfail).removeprefix("reason: ")),
        failure=failure,
        reason=None if reason is None else clean(reason),
        crashed=when not in _PHASES and failing,
        hidden=tuple(read(_Hidden(plain), describe, clean) for plain in known.get("hidden", ())),
        marks=known.get("marks", {}),
    )
