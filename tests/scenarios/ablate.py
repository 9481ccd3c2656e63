"""Which stories hold a rule: play them with the rule switched off.

    python -m tests.scenarios.ablate RULE [RULE ...] [--scenarios all|some|NAMES] [--jobs 2]
    python -m tests.scenarios.ablate --list

A rule is switched off in a copy of the package, which judges instead of the original, also in
the processes that the package starts.  The product itself has no switch.

The rules are those of ``flakefighters/reach/rules.py``: a mapping ``RULES`` from slug to anything,
whose ``stories``, if it has any, are the names of the scenarios that hold the rule; and a name
``OFF``, a frozenset of slugs, that the module asks whenever it applies a rule.

Exit code 0: stories fall without each rule, and the ones that it names are among them; 1: not so;
2: there is no such rule or scenario.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import flakefighters
from tests.scenarios.builder import Repository
from tests.scenarios.corpus import pick
from tests.scenarios.known import UNDECIDED_NOW, WRONG_NOW
from tests.scenarios.registry import Scenario

__all__ = ["Fallen", "Rule", "ablate", "as_markdown", "main", "offered"]

_PACKAGE = Path(flakefighters.__file__).resolve().parent
_RULES = "flakefighters.reach.rules"
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


@dataclass(frozen=True, slots=True)
class Fallen:
    """A story that is not right without the rule."""

    scenario: Scenario
    #: "wrong", "undecided", "unsaid" or "missing".
    grade: str
    label: str


def offered() -> list[Rule]:
    """The rules that the package names; none if it has no module of rules."""
    if importlib.util.find_spec(_RULES) is None:
        return []
    named = importlib.import_module(_RULES).RULES
    return [
        Rule(slug, _switch(slug), tuple(getattr(rule, "stories", ())))
        for slug, rule in named.items()
    ]


def _switch(slug: str) -> Callable[[Path], None]:
    def switch_off(package: Path) -> None:
        path = package.parent.joinpath(*_RULES.split(".")).with_suffix(".py")
        with path.open("a", encoding="utf-8") as module:
            module.write(f"\nOFF = frozenset({{{slug!r}}})\n")

    return switch_off


def ablate(rule: Rule, scenarios: Iterable[Scenario], *, jobs: int = 1) -> list[Fallen]:
    """The scenarios that are not right without ``rule``, of those that are right with it."""
    asked = [one for one in scenarios if one.name not in {*WRONG_NOW, *UNDECIDED_NOW}]
    with tempfile.TemporaryDirectory(prefix="ablate-") as made, ThreadPoolExecutor(jobs) as pool:
        folder = Path(made)
        copy = folder / "product" / _PACKAGE.name
        shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        rule.switch_off(copy)

        def play(scenario: Scenario) -> Fallen | None:
            return _play(scenario, folder / scenario.name, copy.parent)

        return [fallen for fallen in pool.map(play, asked) if fallen is not None]


def _play(scenario: Scenario, folder: Path, product: Path) -> Fallen | None:
    try:
        result = scenario.play(Repository(folder, git=not scenario.bare, product=product))
        label, reason = result.verdict(scenario.nodeid)
    except pytest.skip.Exception:
        return None
    except AssertionError:  # a run on the way did not go as the story has it
        label, reason = None, ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)
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
        parser.error(f"{asked}; there are: {', '.join(known) or f'none, for lack of {_RULES}'}")
    try:
        scenarios = pick(options.scenarios)
    except LookupError as error:
        parser.error(f"--scenarios: {error}")
    found: dict[str, list[Fallen]] = {}
    complaints: list[str] = []
    for slug in options.rules:
        fallen = found[slug] = ablate(known[slug], scenarios, jobs=options.jobs)
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
