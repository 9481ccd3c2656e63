"""Which stories hold a rule: play them with the rule switched off.

    python -m tests.scenarios.ablate RULE [RULE ...] [--scenarios all|some|NAMES] [--jobs 2]
    python -m tests.scenarios.ablate --list

A rule is switched off in a copy of the package, which judges instead of the original, also in
the processes that the package starts.  The product itself has no switch.

There is a rule for each kind of doubt and each way to touch a change.  Without it, what an
execution had to do with the changes is found out as ever, but findings of this kind are dropped.
A story in which a rule finds nothing cannot fall, so it is not played without the rule.

Exit code 0: stories fall without each rule; 1: not so; 2: there is no such rule or scenario.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

import flakefighters
from flakefighters.model import DoubtKind, How
from tests.scenarios.builder import Repository
from tests.scenarios.corpus import pick
from tests.scenarios.known import UNDECIDED_NOW, WRONG_NOW
from tests.scenarios.registry import Scenario

__all__ = ["Fallen", "Rule", "ablate", "as_markdown", "main", "met", "offered"]

Played = TypeVar("Played")

_PACKAGE = Path(flakefighters.__file__).resolve().parent
#: Where the copy notes what it found out.
_FINDINGS = Path("reach", "seen.py")
_WRAPPER = """

_real = Findings.{method}

def _{method}(self, what, *more, **named):
    {body}

Findings.{method} = _{method}
"""
_NOTE = """with open(__import__("os").environ["HOME"] + "/{name}", "a") as notes:
        notes.write(repr(what) + "\\n")
    _real(self, what, *more, **named)"""
_NOTES = "findings"
#: Topics whose stories were made up against the rules.
_ADVERSARIAL = ("adversarial", "refuted")


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that can be left out of a copy of the package."""

    slug: str
    #: Takes the copy's folder, and leaves the rule out of it.
    switch_off: Callable[[Path], None]
    #: The stories that are said to hold it.
    stories: tuple[str, ...] = ()
    #: Whether it is a kind of finding, so that :func:`met` tells where it matters.
    finds: bool = False


@dataclass(frozen=True, slots=True)
class Fallen:
    """A story that is not right without the rule."""

    scenario: Scenario
    #: "wrong", "undecided", "unsaid" or "missing".
    grade: str
    label: str


def offered() -> list[Rule]:
    """The kinds of doubt, the gravest first, and the ways to touch a change."""
    return [
        *(_rule(kind.value, "doubt", kind) for kind in DoubtKind),
        *(_rule(how.name.lower().replace("_", "-"), "touch", how) for how in How),
    ]


def _rule(slug: str, method: str, kind: DoubtKind | How) -> Rule:
    name = f"{type(kind).__name__}.{kind.name}"
    body = f"if what is not {name}:\n        _real(self, what, *more, **named)"
    return Rule(slug, _append(method, body), finds=True)


def _append(method: str, body: str) -> Callable[[Path], None]:
    """Wraps a method of the copy's ``Findings``."""

    def append(package: Path) -> None:
        with (package / _FINDINGS).open("a", encoding="utf-8") as module:
            module.write(_WRAPPER.format(method=method, body=body))

    return append


def met(scenarios: Iterable[Scenario], *, jobs: int = 1) -> dict[str, list[Scenario]]:
    """The scenarios in which each of the rules that are offered finds something."""
    found: dict[str, list[Scenario]] = {rule.slug: [] for rule in offered()}

    def note(package: Path) -> None:
        for method in ("doubt", "touch"):
            _append(method, _NOTE.format(name=_NOTES))(package)

    def look(scenario: Scenario, folder: Path, product: Path) -> tuple[Scenario, set[str]]:
        _play(scenario, folder, product)
        notes = folder / "outside" / _NOTES
        return scenario, set(notes.read_text("utf-8").split("\n")) if notes.exists() else set()

    slugs = {repr(kind): kind.value for kind in DoubtKind}
    slugs |= {repr(how): how.name.lower().replace("_", "-") for how in How}
    for scenario, noted in _in_copy(note, look, scenarios, jobs):
        for one in noted & slugs.keys():
            found[slugs[one]].append(scenario)
    return found


def ablate(rule: Rule, scenarios: Iterable[Scenario], *, jobs: int = 1) -> list[Fallen]:
    """The scenarios that are not right without ``rule``, of those that are right with it."""
    played = _in_copy(rule.switch_off, _play, scenarios, jobs)
    return [fallen for fallen in played if fallen is not None]


def _in_copy(
    change: Callable[[Path], None],
    play: Callable[[Scenario, Path, Path], Played],
    scenarios: Iterable[Scenario],
    jobs: int,
) -> list[Played]:
    """What ``play`` says of each scenario, given a folder and where the changed copy lies."""
    asked = [one for one in scenarios if one.name not in {*WRONG_NOW, *UNDECIDED_NOW}]
    with tempfile.TemporaryDirectory(prefix="ablate-") as made, ThreadPoolExecutor(jobs) as pool:
        folder = Path(made)
        copy = folder / "product" / _PACKAGE.name
        shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        change(copy)

        def one(scenario: Scenario) -> Played:
            place = folder / scenario.name
            try:
                return play(scenario, place, copy.parent)
            finally:
                shutil.rmtree(place, ignore_errors=True)

        return list(pool.map(one, asked))


def _play(scenario: Scenario, folder: Path, product: Path) -> Fallen | None:
    try:
        result = scenario.play(Repository(folder, git=not scenario.bare, product=product))
        label, reason = result.verdict(scenario.nodeid)
    except pytest.skip.Exception:
        return None
    except AssertionError:  # a run on the way did not go as the story has it
        label, reason = None, ""
    grade = scenario.grade(label, reason)
    return None if grade == "right" else Fallen(scenario, grade, label or "missing")


def as_markdown(found: Mapping[str, Sequence[Fallen]]) -> str:
    """A table: for each rule, how many stories fall without it, and which."""
    lines = [
        "| rule | genuine called flaky: ordinary | adversarial | else not right | stories |",
        "|---|---|---|---|---|",
    ]
    for slug, fallen in found.items():
        flaky = [one for one in fallen if one.grade == "wrong" and one.label == "flaky"]
        hostile = sum(one.scenario.topic.startswith(_ADVERSARIAL) for one in flaky)
        names = ", ".join(one.scenario.name for one in fallen)
        counts = f"{len(flaky) - hostile} | {hostile} | {len(fallen) - len(flaky)}"
        lines.append(f"| {slug} | {counts} | {names} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None, rules: Callable[[], list[Rule]] = offered) -> int:
    """Ablate the rules that are named; ``rules`` gives those that can be."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.scenarios.ablate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rules", nargs="*", metavar="RULE")
    parser.add_argument("--list", action="store_true", help="print the rules, and play nothing")
    parser.add_argument("--scenarios", default="all", metavar="all|some|NAMES")
    parser.add_argument("--jobs", type=int, default=2, help="stories that are played at once")
    options = parser.parse_args(arguments)
    known = {rule.slug: rule for rule in rules()}
    if options.list:
        print("".join(f"{slug}\n" for slug in known), end="")
        return 0
    unknown = [slug for slug in options.rules if slug not in known]
    if unknown or not options.rules:
        asked = f"no rule {unknown[0]!r}" if unknown else "name a rule"
        parser.error(f"{asked}; there are: {', '.join(known)}")
    try:
        scenarios = pick(options.scenarios)
    except LookupError as error:
        parser.error(f"--scenarios: {error}")
    found: dict[str, list[Fallen]] = {}
    complaints: list[str] = []
    # For one rule alone it would be dearer to look first.
    look = sum(known[slug].finds for slug in options.rules) > 1
    places = met(scenarios, jobs=options.jobs) if look else {}
    for slug in options.rules:
        stories = places.get(slug, scenarios)
        fallen = found[slug] = ablate(known[slug], stories, jobs=options.jobs)
        complaints += _complaints(known[slug], scenarios, fallen)
    print(as_markdown(found), end="")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _complaints(
    rule: Rule, scenarios: Iterable[Scenario], fallen: Sequence[Fallen]
) -> Iterable[str]:
    names = {one.scenario.name for one in fallen}
    played = {one.name for one in scenarios}
    if not names:
        yield f"{rule.slug}: no story holds it"
    for story in rule.stories:
        if story in played and story not in names:
            yield f"{rule.slug}: {story} is right without it"


if __name__ == "__main__":
    sys.exit(main())
