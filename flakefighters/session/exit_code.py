"""Which exit code a session ends with, and the sentence that says why: data in, data out.

An exit code of 1 becomes 0 only if every failing report may be left out and nothing else is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flakefighters.model import Label, Verdict
from flakefighters.records import NamedTuple
from flakefighters.words import count

__all__ = ["Decision", "Ending", "Failing", "Policy", "decide", "is_proof"]

_FAILED: Final = 1
#: Who proves by what the run itself has seen.
_OF_THE_RUN: Final = frozenset({"rerun", "trial"})


class Policy(NamedTuple):
    """What the user asked for."""

    #: Leave failures out that are proved flaky.
    suppress: bool = False
    #: The same of tests that are quarantined.
    quarantine: bool = False
    #: Leave quarantined failures out as well where flakiness is not proved.
    undecided: bool = False


class Failing(NamedTuple):
    """One failing report."""

    verdict: Verdict | None
    quarantined: bool = False
    #: A person says that it, or all like it, is genuine.
    marked_genuine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known of a session at its end."""

    #: The exit code as it is now, and what pytest told when the session was finished.
    code: int
    told: int
    #: The failing reports, each with the verdict that counts.
    failing: Sequence[Failing] = ()
    #: How many failures pytest counts, and how many failing reports were met.
    counted: int = 0
    met: int = 0
    #: Collected tests that have not reported to their end, and files that were not collected.
    unreported: int = 0
    uncollected: int = 0
    #: A worker process died.
    crashed: bool = False
    #: Why pytest stopped or was told to, empty if it did not.
    stopped: str = ""
    #: More warnings than pytest was told to allow.
    warnings: bool = False


class Decision(NamedTuple):
    """The exit code, and a sentence without a full stop; none if there is nothing to say."""

    code: int
    sentence: str = ""


#: What forbids to change the exit code, whatever the verdicts say: first that applies.
_OBSTACLES: Final[Sequence[tuple[Callable[[Ending], Any], str]]] = (
    (lambda end: end.code != end.told, "something else changed it from {told}"),
    (lambda end: end.code != _FAILED, "only 1 (tests failed) can become 0"),
    (lambda end: end.uncollected, "{uncollected} could not be collected"),
    (lambda end: end.stopped, "the session was stopped ({stopped})"),
    (lambda end: end.crashed, "a worker crashed"),
    (lambda end: end.unreported, "{unreported} did not report"),
    (lambda end: end.warnings, "there are more warnings than --max-warnings allows"),
    (
        lambda end: end.counted != end.met,
        "something besides failing tests made it 1, such as too little coverage",
    ),
    (lambda end: not end.failing, "no test failed, so something else made it {code}"),
)


def decide(end: Ending, policy: Policy) -> Decision:
    """Decide on the exit code of a session."""
    if end.code == 0 and end.told == 0:
        return Decision(0)
    obstacle = next((text for holds, text in _OBSTACLES if holds(end)), None)
    if obstacle is not None:
        words = {
            "told": end.told,
            "code": end.code,
            "stopped": end.stopped,
            "uncollected": count(end.uncollected, "file"),
            "unreported": count(end.unreported, "collected test"),
        }
        return Decision(end.code, f"exit code stays {end.code}: {obstacle.format_map(words)}")
    kept = Counter(why for one in end.failing if (why := _kept(one, policy)) is not None)
    if kept:
        return Decision(end.code, f"exit code stays {end.code}: {_counts(kept)}")
    return Decision(0, f"exit code 0: {_left_out(end.failing)}")


def is_proof(evidence: Mapping[str, Any]) -> bool:
    """Whether a proof was made by the run itself, or by one that may be acted on.

    A pass on the same state tells by ``act_on`` which run that is, if any.
    """
    return evidence.get("by") in _OF_THE_RUN or bool(evidence.get("act_on"))


def _is_proved(verdict: Verdict) -> bool:
    return verdict.label is Label.FLAKY and verdict.proved and is_proof(verdict.evidence)


def _kept(failing: Failing, policy: Policy) -> str | None:
    """Why a failure counts; None if it may be left out."""
    verdict = failing.verdict
    if verdict is None:
        return "without a verdict"
    if verdict.label is Label.GENUINE:
        return "genuine"
    if failing.marked_genuine:
        return "marked genuine"
    if verdict.introduced or verdict.evidence.get("unsure"):
        return "flaky, perhaps introduced here"
    quarantined = policy.quarantine and failing.quarantined
    if _is_proved(verdict):
        return None if policy.suppress or quarantined else "flaky, not quarantined"
    if quarantined and policy.undecided:
        return None
    if verdict.label is Label.UNDECIDED:
        return "undecided"
    return "flaky, but no proof counts here"


def _left_out(failing: Sequence[Failing]) -> str:
    """What the failures are, all of which are left out."""
    kinds = Counter(
        "flaky, proved"
        if one.verdict is not None and _is_proved(one.verdict)
        else "quarantined and not genuine"
        for one in failing
    )
    if len(kinds) > 1:
        return f"of {count(len(failing), 'failure')} {_counts(kinds)}"
    (what,) = kinds
    return (
        f"the only failure is {what}"
        if len(failing) == 1
        else f"all {len(failing)} failures are {what}"
    )


def _counts(kinds: Counter[str]) -> str:
    return "; ".join(f"{number} {what}" for what, number in sorted(kinds.items()))
