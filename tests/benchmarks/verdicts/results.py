"""Results as lines of JSON, and the tables that they add up to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.verdicts.company import company_table, kinds_table

__all__ = ["as_markdown", "load", "wrong"]

Record = dict[str, Any]


def load(paths: Iterable[Path]) -> list[Record]:
    """All records of some files; of several with one key the last."""
    found: dict[tuple[str, str, str], Record] = {}
    for path in paths:
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            record = json.loads(line)
            found[record["project"], record["python"], record["key"]] = record
    return list(found.values())


def wrong(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Genuine failures called flaky, however they were judged, with their records."""
    return [
        (record, failure)
        for record in records
        if record["half"] == "genuine"
        for failure in record["failures"] or ()
        if "flaky"
        in (failure["label"], *(one["label"] for one in failure.get("ways", {}).values()))
    ]


def as_markdown(records: Sequence[Record]) -> str:
    """The tables of both halves, and the reasons of what was undecided or wrong."""
    parts = []
    mutants = [one for one in records if one["half"] == "genuine"]
    replays = [one for one in records if one["half"] == "flaky"]
    if mutants:
        parts += [_genuine_table(mutants), _operators(mutants)]
    if replays:
        parts.append(_flaky_table(replays))
    parts += [company_table(records), kinds_table(replays)]
    tried = [one for one in _failures(records) if "read" in one]
    if tried:
        parts.append(_trials_table(records))
    for half, good in (("genuine", "genuine"), ("flaky", "flaky")):
        parts.append(_reasons([one for one in records if one["half"] == half], half, good))
    return "\n".join(part for part in parts if part)


def _genuine_table(records: Sequence[Record]) -> str:
    lines = [
        "| project | Python | mutants | tests failed by | failures | genuine | undecided | flaky |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, python, some in [*_groups(records), ("all", "", list(records))]:
        failures = _failures(some)
        lines.append(
            f"| {name} | {python} | {len(some)} | {sum(bool(_failures([one])) for one in some)}"
            f" | {len(failures)} | {_shares(failures, ('genuine', 'undecided', 'flaky'))} |"
        )
    return "\n".join(lines) + "\n"


def _operators(records: Sequence[Record]) -> str:
    lines = [
        "| operator | mutants | failures | genuine | undecided | flaky |",
        "|---|---|---|---|---|---|",
    ]
    for operator in sorted({one["operator"] for one in records}):
        some = [one for one in records if one["operator"] == operator]
        failures = _failures(some)
        shares = _shares(failures, ("genuine", "undecided", "flaky"))
        lines.append(f"| {operator} | {len(some)} | {len(failures)} | {shares} |")
    return "\n".join(lines) + "\n"


def _flaky_table(records: Sequence[Record]) -> str:
    lines = [
        (
            "| project | Python | commits | injected | found | run no changed unit | found"
            " | of these, no changed code ran at import | found | genuine | undecided |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, python, some in [*_groups(records), ("all", "", list(records))]:
        every = [(one, failure) for one in some for failure in one["failures"] or ()]
        quiet = [
            pair for pair in every if not (pair[1]["runs_change"] or pair[0].get("other_settings"))
        ]
        inner = [pair for pair in quiet if not pair[0]["at_import"]]
        cells = [
            f"{len(group)} | {_share(sum(f['label'] == 'flaky' for _, f in group), len(group))}"
            for group in (every, quiet, inner)
        ]
        labels = Counter(failure["label"] for _, failure in every)
        lines.append(
            f"| {name} | {python} | {len(some)} | {' | '.join(cells)}"
            f" | {labels['genuine']} | {labels['undecided'] + labels['none']} |"
        )
    return "\n".join(lines) + "\n"


def _trials_table(records: Sequence[Record]) -> str:
    """What reading said and what trials found, by what was wrong."""
    lines = [
        "| | on trial | right by reading | right after trials | undecided | wrong | proved | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        for failure in _failures([record]):
            if "read" in failure:
                name = failure.get("error") if record["half"] == "flaky" else "a change"
                for key in ((record["half"], str(name)), (record["half"], "all")):
                    groups.setdefault(key, []).append(failure)
    for (half, name), some in sorted(
        groups.items(), key=lambda one: (one[0][0], one[0][1] == "all")
    ):
        wrong_label = "genuine" if half == "flaky" else "flaky"
        took = sorted(one["seconds"] for one in some if one["confidence"] == "proved")
        cells = (
            len(some),
            _share(sum(one["read"] == half for one in some), len(some)),
            _share(sum(one["label"] == half for one in some), len(some)),
            sum(one["label"] == "undecided" for one in some),
            sum(one["label"] == wrong_label for one in some),
            len(took),
            f"{took[len(took) // 2]:.1f}" if took else "",
        )
        lines.append(f"| {half}: {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _reasons(records: Sequence[Record], half: str, good: str) -> str:
    counts: Counter[tuple[str, str, str]] = Counter()
    example: dict[tuple[str, str, str], str] = {}
    for record in records:
        for failure in _failures([record]):
            if failure["label"] == good:
                continue
            extra = ""
            if half == "flaky":
                extra = "runs the change" if failure["runs_change"] else "runs no changed unit"
                extra = "other settings" if record.get("other_settings") else extra
            key = (failure["label"], extra, _general(failure["reason"]))
            counts[key] += 1
            example.setdefault(key, f"{record['project']} {record['key']} {failure['nodeid']}")
    if not counts:
        return ""
    lines = [f"| {half} half, but called | | reason | failures | first |", "|---|---|---|---|---|"]
    for (label, extra, reason), count in counts.most_common():
        first = example[label, extra, reason].replace("|", "\\|")[:110]
        lines.append(f"| {label} | {extra} | {reason} | {count} | {first} |")
    return "\n".join(lines) + "\n"


def _general(reason: str) -> str:
    """A reason without the names in it."""
    reason = re.sub(r"[\w./<>-]+\(\)( in [\w./-]+\.\w+)?( and \d+ more)?", "X()", reason)
    reason = re.sub(r"[\w./-]+\.(py|md|rst|txt|toml|cfg|json)( and \d+ more)?", "FILE", reason)
    reason = re.sub(r"[\w<>., ]+ in FILE", " X in FILE", reason)
    reason = re.sub(r"\b[0-9a-f]{7}\b", "COMMIT", reason)
    return re.sub(r"\d+", "N", reason).replace("|", "\\|")[:140]


def _groups(records: Sequence[Record]) -> list[tuple[str, str, list[Record]]]:
    keys = sorted({(one["project"], one["python"]) for one in records})
    return [
        (name, python, [r for r in records if (r["project"], r["python"]) == (name, python)])
        for name, python in keys
    ]


def _failures(records: Sequence[Record]) -> list[Record]:
    """Of tests; a module that cannot be collected is none, and gets no verdict."""
    return [
        failure
        for one in records
        for failure in one["failures"] or ()
        if failure.get("how") != "collection"
    ]


def _shares(failures: Sequence[Record], labels: Sequence[str]) -> str:
    counts = Counter(failure["label"] for failure in failures)
    counts["undecided"] += counts["none"]
    return " | ".join(
        str(counts[label]) if label == "flaky" else _share(counts[label], len(failures))
        for label in labels
    )


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)" if whole else "-"
