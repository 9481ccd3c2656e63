"""When earlier failures are enough to speak of another one, and how they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from flakefighters.ids import short
from flakefighters.model import Label, Lesson
from flakefighters.words import count

__all__ = ["enough", "evidence_of", "told"]

_SHOWN: Final = 5


def enough(lessons: Sequence[Lesson], nodeid: str, others: int) -> Label | None:
    """What these earlier failures say of one of ``nodeid``; None if they do not agree or are few.

    One failure of the same test is enough; of other tests it takes ``others``.
    """
    labels = {one.label for one in lessons}
    own = any(one.nodeid == nodeid for one in lessons)
    if len(labels) != 1 or not (own or sum(one.runs for one in lessons) >= others):
        return None
    return labels.pop()


def told(lessons: Sequence[Lesson], nodeid: str, how: str) -> str:
    """ "failed alike in 3 earlier runs, each time flaky (last: run 9f3c)", for a reason."""
    own = [one for one in lessons if one.nodeid == nodeid]
    chosen = own or lessons
    last, label = chosen[0], chosen[0].label
    times = sum(one.runs for one in chosen)
    if own:
        each = ", each time" if times > 1 else ", then"
        return f"failed {how} in {count(times, 'earlier run')}{each} {label} ({_last(last)})"
    tests = len({one.nodeid for one in chosen})
    who = count(tests, "other test")
    more = f" {times} times" if times > tests else ""
    return f"{who} failed {how}{more}, each time {label} ({_last(last)})"


def _last(one: Lesson) -> str:
    return f"last: run {short(one.run)}"


def evidence_of(lessons: Sequence[Lesson], nodeid: str) -> dict[str, Any]:
    """What a verdict keeps of them: small, and it stands alone."""
    own = [one for one in lessons if one.nodeid == nodeid]
    others = [one for one in lessons if one.nodeid != nodeid]
    return {
        "runs": list(dict.fromkeys(one.run for one in [*own, *others]))[:_SHOWN],
        "same_test": sum(one.runs for one in own),
        "other_tests": sum(one.runs for one in others),
        "tests": list(dict.fromkeys(one.nodeid[:200] for one in others))[:_SHOWN],
        "known_by": dict(Counter(one.how for one in lessons)),
    }
