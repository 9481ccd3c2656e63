"""The harness that switches rules off."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flakefighters.model import DoubtKind, How
from tests.scenarios.ablate import Rule, ablate, main, met, offered
from tests.scenarios.corpus import SCENARIOS, pick

#: A story that every version of the product must get right, by whichever rule.
STORY = "a_changed_line"


def _no_fighters(package: Path) -> None:
    path = package / "fighters" / "__init__.py"
    text = path.read_text()
    head, found, _ = text.partition("    return (\n")
    assert found
    path.write_text(f"{head}    return ()\n")


def _nothing(package: Path) -> None:
    assert (package / "plugin.py").is_file()


def _rules() -> list[Rule]:
    return [
        Rule("fighters", _no_fighters, (STORY,)),
        Rule("nothing", _nothing, (STORY,)),
        Rule("unnamed", _nothing),
    ]


def test_a_story_falls_without_the_fighters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fighters", "--scenarios", STORY], _rules) == 0
    assert f"| fighters | 0 | 0 | 1 | {STORY} |" in capsys.readouterr().out


def test_a_rule_that_nothing_holds_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing", "--scenarios", STORY], _rules) == 1
    said = capsys.readouterr()
    assert "| nothing | 0 | 0 | 0 |  |" in said.out
    assert said.err.splitlines() == [
        "nothing: no story holds it",
        f"nothing: {STORY} is right without it",
    ]


def test_the_product_itself_is_left_alone() -> None:
    rules = _rules()
    assert ablate(rules[0], [SCENARIOS[STORY]]) != []
    assert ablate(rules[2], [SCENARIOS[STORY]]) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["other"], "no rule 'other'; there are: fighters, nothing, unnamed"),
        ([], "name a rule"),
        (["fighters", "--scenarios", "no-such-story"], "no no-such-story; say all"),
    ],
)
def test_wrong_usage(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments, _rules)
    assert told in capsys.readouterr().err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"], _rules) == 0
    assert capsys.readouterr().out == "fighters\nnothing\nunnamed\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the story rests on watched functions")
def test_each_kind_of_finding_can_be_left_out() -> None:
    assert len({rule.slug for rule in offered()}) == len(DoubtKind) + len(How)
    story = SCENARIOS["a_registered_function"]
    places = {slug for slug, found in met([story]).items() if found}
    assert places == {"at-import"}
    (rule,) = [one for one in offered() if one.slug == "at-import"]
    assert [one.label for one in ablate(rule, [story])] == ["flaky"]


def test_picking() -> None:
    assert [one.name for one in pick(STORY)] == [STORY]
    assert {one.topic for one in pick("branches")} == {"branches"}
    assert len(pick("some")) < len(pick("all")) == len(SCENARIOS)
