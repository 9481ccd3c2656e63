"""What each flakefighter said alone, and all of them together, where there was a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["company_table", "kinds_table"]

Record = Mapping[str, Any]
#: A failure of a test, and whether it is "genuine" or "flaky".
Judged = tuple[Record, str]

_WAYS: Final = {"": "together", "reruns": "with reruns 1", "trials": "with trials"}


def company_table(records: Sequence[Record]) -> str:
    """For each flakefighter, and all together, what was right and wrong; "" without any."""
    judged = _judged(records)
    names = sorted({name for failure, _ in judged for name in failure["said"]})
    if not names:
        return ""
    titles = (
        *("", "genuine failures: genuine", "flaky", "flaky failures: flaky", "genuine"),
        *("precision of flaky", "recall", "precision of genuine", "recall"),
    )
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name in names:
        said = [(failure["said"].get(name), truth) for failure, truth in judged]
        lines.append(_row(f"`{name}`", said))
    for way, title in _WAYS.items():
        if not way or any(way in failure["ways"] for failure, _ in judged):
            lines.append(_row(title, [(_label(failure, way), truth) for failure, truth in judged]))
    return "\n".join(lines) + "\n"


def kinds_table(records: Sequence[Record]) -> str:
    """Of each kind of flakiness, how many were found in each way; "" without a history."""
    failures = [failure for failure, _ in _judged(records)]
    if not failures:
        return ""
    asked = [way for way in _WAYS if not way or any(way in one["ways"] for one in failures)]
    titles = " | ".join(_WAYS[way] for way in asked)
    lines = [f"| flaky by | failures | run a change | {titles} |", "|---" * (3 + len(asked)) + "|"]
    kinds = Counter(one["error"] for one in failures)
    for kind, number in [*kinds.most_common(), ("all", len(failures))]:
        some = [one for one in failures if kind in (one["error"], "all")]
        found = (sum(_label(one, way) == "flaky" for one in some) for way in asked)
        cells = " | ".join(_share(one, number) for one in found)
        changed = sum(bool(one["runs_change"]) for one in some)
        lines.append(f"| {kind} | {number} | {changed} | {cells} |")
    return "\n".join(lines) + "\n"


def _judged(records: Sequence[Record]) -> list[Judged]:
    return [
        (failure, record["half"])
        for record in records
        for failure in record["failures"] or ()
        if "ways" in failure and failure.get("how") != "collection"
    ]


def _label(failure: Record, way: str) -> str | None:
    where = failure["ways"].get(way, {}) if way else failure
    label = where.get("label")
    return None if label is None else str(label)


def _row(title: str, said: Sequence[tuple[str | None, str]]) -> str:
    counts = Counter((truth, label) for label, truth in said)
    whole = Counter(truth for _, truth in said)
    cells = [str(counts["genuine", said]) for said in ("genuine", "flaky")]
    cells += [str(counts["flaky", said]) for said in ("flaky", "genuine")]
    for truth, other in (("flaky", "genuine"), ("genuine", "flaky")):
        right = counts[truth, truth]
        cells += [_percent(right, right + counts[other, truth]), _percent(right, whole[truth])]
    return f"| {title} | {' | '.join(cells)} |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _share(part: int, whole: int) -> str:
    return f"{part} ({_percent(part, whole)})"
