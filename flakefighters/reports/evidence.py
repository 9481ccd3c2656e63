"""A verdict's evidence as sentences.

What is known of a key stands in one table.  Keys that it lacks, of later versions or of somebody
else's flakefighter, are shown by their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from flakefighters.model import ChangeKind, Outcome, setting
from flakefighters.reports.trials import trial_sentence
from flakefighters.words import count

__all__ = ["evidence_lines"]

#: No more members of a list are named.
_NAMED: Final = 5
#: The last lines of what a trial's failure said.
_SAID: Final = 8


def evidence_lines(evidence: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each thing that a verdict rests on; technical ids are left to ``--json``."""
    for key, value in evidence.items():
        if key in _SILENT or value is None or value in ([], {}, "", ()):
            continue
        if key in _SEVERAL:
            yield from _SEVERAL[key](value)
            continue
        said = _SENTENCES.get(key, lambda _: None)(value)
        if said is None:
            said = f"{key.replace('_', ' ')}: {_plain(value)}"
        if key == "baseline" and evidence.get("commit"):
            said += f", commit {str(evidence['commit'])[:7]}"
        if said and not (key == "commit" and evidence.get("baseline")):
            yield said


def _trials(value: Any) -> Iterator[str]:
    found = value if isinstance(value, list) else []
    return (trial_sentence(one) for one in found if isinstance(one, Mapping))


def _output(value: Any) -> Iterator[str]:
    return (f"it said: {text}" for text in str(value).splitlines()[-_SAID:])


def _plain(value: Any) -> str:
    """A value without the signs of a programming language."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _named([f"{name} {_plain(member)}" for name, member in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _named([_plain(member) for member in value])
    return "" if value is None else str(value)


def _named(words: Sequence[str]) -> str:
    kept = [word for word in words if word]
    more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
    return ", ".join(kept[:_NAMED]) + more


def _runs(value: Any) -> str | None:
    """Runs by the ends of their ids; or how many results there were."""
    if isinstance(value, int):
        return f"{count(value, 'earlier result')} seen" if value else "no earlier result seen"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        noun = "run" if len(value) == 1 else "runs"
        return f"{noun} {_named([one[-4:] for one in value])}"
    return None


def _passes(value: Any) -> str | None:
    said = _runs(value)
    return None if said is None else f"passed in {said}"


def _attempts(value: Any) -> str | None:
    known = {outcome.value: outcome.word for outcome in Outcome}
    if not isinstance(value, list) or not all(
        isinstance(one, list) and len(one) == 2 for one in value
    ):
        return None
    return _named([f"attempt {number} {known.get(letter, letter)}" for number, letter in value])


def _touched(value: Any) -> str | None:
    """Each is [how, kind, path, unit, line, what happened to it]."""
    if not isinstance(value, list):
        return None
    words = []
    for one in value:
        if not isinstance(one, list) or len(one) < 5:
            return None
        how, kind, path, unit, line = one[:5]
        name = setting(str(path)) if kind == ChangeKind.SETTING.value else path
        where = f"{name}, line {line}" if line else str(name)
        words.append(f"{how} {unit} in {where}" if unit else f"{how} {where}")
    return f"touched: {_named(words)}"


def _doubts(value: Any) -> str | None:
    """Each is [kind, sentence]."""
    if not isinstance(value, list) or not all(isinstance(one, list) and one for one in value):
        return None
    return f"in doubt: {'; '.join(str(one[-1]) for one in value)}"


def _before(value: Any) -> str | None:
    return f"compared with {value['name']}" if isinstance(value, dict) and "name" in value else None


def _steps(value: Any) -> str | None:
    """Each is [commit, what the test did there, the run that knew it]."""
    if not isinstance(value, list) or not all(isinstance(one, list) and one for one in value):
        return None
    return "on the way: " + ", ".join(f"{str(one[0])[:7]} {one[1]}" for one in value if one[1:])


def _flip_rate(value: Any) -> str | None:
    """A mapping; the reason has the rate already."""
    try:
        states, likely = int(value["states"]), float(value["by_chance"])
    except (KeyError, TypeError, ValueError):
        return None
    return f"so on {count(states, 'state')}; this failure by chance: {likely:.1%} sure"


#: Ids that say nothing to a reader, and what the reason or another sentence says already.
_SILENT: Final = frozenset(
    (
        "by",
        "state",
        "environment",
        "source",
        "passed",
        "started",
        "was_at",
        "was_by",
        "doubt",
        "draws",
        "missing",
        "ignored",
        "act_on",
        "open",
        "undecided",
        "contested",
        "mark",
        "target",
        "at",
    )
)

#: What takes more than one sentence.
_SEVERAL: Final[Mapping[str, Callable[[Any], Iterator[str]]]] = {
    "trials": _trials,
    "output": _output,
}
_SENTENCES: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "baseline": lambda value: f"compared with run {str(value)[-4:]}",
    "commit": lambda value: f"commit {str(value)[:7]}",
    "considered": lambda value: (
        f"{count(value, 'change')} looked at" if isinstance(value, int) else None
    ),
    "more": lambda value: f"and {count(value, 'more change')} touched" if value else "",
    "touched": _touched,
    "doubts": _doubts,
    "seen": lambda value: f"{value} seen",
    "passes": _passes,
    "unsure": lambda _: "a change since then may have made it flaky",
    "runs": _runs,
    "results": _runs,
    "run": lambda value: f"proved by run {str(value)[-4:]}",
    "was": lambda value: f"was: {value}",
    "attempts": _attempts,
    "introduced": lambda value: f"changed since it was last stable: {_plain(value)}",
    "signature": lambda value: f"failing alike: {str(value).partition(chr(10))[0]}",
    "since": lambda value: f"genuine since run {str(value)[-4:]}",
    "more_trials": lambda value: f"and {count(value, 'more trial')}",
    "before": _before,
    "who": lambda value: f"tried by {value}",
    "steps": _steps,
    "flip_rate": _flip_rate,
    "statistics": lambda value: f"statistics count if {value} of them agree",
    "own_file": lambda value: f"test file {value}",
}
