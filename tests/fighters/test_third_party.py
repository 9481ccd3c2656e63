"""Flakefighters of other packages, and the settings of all of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from flakefighters.fighters import builtin, registry
from flakefighters.fighters.coverage_independence import CoverageIndependence
from flakefighters.fighters.registry import builtin_names, choose, known, needed
from flakefighters.fighters.settings import checked, fields_of, is_on
from flakefighters.fighters.similarity import Similarity
from flakefighters.fighters.third_party import Guarded, refusal
from flakefighters.measures.clusters import DISTANCES, LINKAGES
from flakefighters.model import Case, Confidence, Label, Level, Need, Verdict
from flakefighters.model.choice import Choice, Given
from tests.fighters.cases import case


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    least: int = Field(3, ge=1)
    token: SecretStr = SecretStr("")


class Loose(NamedTuple):
    margin: float = 0.2
    names: tuple[str, ...] = ()


class Own:
    name = "own"
    version = 4
    needs = frozenset({Need.COVERAGE})
    settings_model = Strict
    answer: Any = None

    def __init__(self, settings: Strict | None = None) -> None:
        self.settings = settings

    def judge(self, case: Case) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Quiet(Own):
    name = "quiet"
    default = False


def said(**fields: Any) -> Verdict:
    known = {"label": Label.FLAKY, "fighter": "x", "version": 1, "confidence": Confidence.FAIR}
    return Verdict(**{"reason": "it rained", **known, **fields})


def guard(answer: Any, notes: list[str], seconds: float = 2.0) -> Guarded:
    made = Own()
    made.answer = answer
    return Guarded(made, "own", "acme 1.2", notes.append, seconds)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make entry points known."""

    def install(*values: str) -> None:
        pairs = (one.split("=") for one in values)
        points = [EntryPoint(name, value, "flakefighters") for name, value in pairs]
        monkeypatch.setattr(registry, "_points", lambda: points)

    return install


def given(**values: Any) -> Mapping[str, Given]:
    return {key: Given(value, "pyproject.toml:7") for key, value in values.items()}


# -- what it says ------------------------------------------------------------------------------


def test_its_word_is_fair_and_never_introduced() -> None:
    notes: list[str] = []
    one = guard(said(confidence=Confidence.PROVED, introduced=True, reason=" rain "), notes)
    verdict = one.judge(case())
    assert verdict == said(fighter="own", version=4, reason="rain")
    assert (one.level, one.needs, notes) == (Level.STATISTICS, Own.needs, [])
    assert guard(None, notes).judge(case()) is None
    assert guard(said(confidence=Confidence.WEAK), notes).judge(case()) == said(
        fighter="own", version=4, confidence=Confidence.WEAK
    )
    assert notes == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ValueError("no\nway"), "it raised ValueError: no way"),
        (SystemExit(3), "it raised SystemExit: 3"),
        ("flaky", "judge() gave str instead of a verdict or None"),
        (said(label="flaky-ish"), "its verdict has no label or no confidence"),
        (said(confidence=None), "its verdict has no label or no confidence"),
        (said(reason=""), "its verdict has no reason"),
        (said(reason=None), "its verdict has no reason"),
        (said(reason="a\nb"), "its reason is not one line of at most 300 characters"),
        (said(reason="a" * 301), "its reason is not one line of at most 300 characters"),
        (said(evidence={"a": object()}), "its evidence is not JSON"),
        (said(evidence={"a": float("nan")}), "its evidence is not JSON"),
        (said(evidence=3), "its evidence is not JSON"),
        (said(evidence={"a": "b" * 2048}), "its evidence is larger than 2,048 bytes"),
    ],
)
def test_trouble_is_said_once(answer: Any, why: str) -> None:
    notes: list[str] = []
    one = guard(answer, notes)
    assert [one.judge(case()), one.judge(case())] == [None, None]
    assert notes == [f"flakefighter own of acme 1.2 is left out: {why}"]


def test_one_that_never_answers() -> None:
    notes: list[str] = []
    end = threading.Event()

    class Slow(Own):
        def judge(self, case: Case) -> Any:
            end.wait(30)

    one = Guarded(Slow(), "own", "acme 1.2", notes.append, 0.05)
    assert one.judge(case()) is None
    assert one.judge(case()) is None
    end.set()
    assert notes == ["flakefighter own of acme 1.2 is left out: it took too long"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Own, None),
        (object, "it has no method judge()"),
        (type("A", (Own,), {"name": "other"}), "its entry point has another name than the class"),
        (type("A", (Own,), {"version": "1"}), "its version must be a whole number"),
        (type("A", (Own,), {"needs": {"history"}}), "its needs must be a set"),
    ],
)
def test_what_is_no_flakefighter(make: Any, why: str | None) -> None:
    found = refusal(make, "own")
    assert found is None if why is None else (found or "").startswith(why)


# -- which there are ---------------------------------------------------------------------------


def test_other_packages_come_last(installed: Any) -> None:
    installed(f"own={__name__}:Own", f"quiet={__name__}:Quiet")
    notes: list[str] = []
    entries = list(known(notes.append))
    assert [one.name for one in entries] == [*builtin_names(), "own", "quiet"]
    assert [one.builtin for one in entries[-3:]] == [True, False, False]
    assert [one.name for one in choose(Choice(), notes.append)][-1] == "own"
    on = Choice(settings={"quiet": given(enabled="yes"), "own": given(enabled=False)})
    assert [one.name for one in choose(on, notes.append)][-1] == "quiet"
    assert [one.name for one in choose(Choice(("quiet",)), notes.append)] == ["quiet"]
    assert notes == []


def test_packages_that_are_broken(installed: Any) -> None:
    installed("rerun=os:path", "Bad-Name=os:path", "gone=nowhere.at.all:X", "own=os:path")
    notes: list[str] = []
    usual = [one.name for one in builtin() if getattr(one, "default", True)]
    assert [one.name for one in choose(Choice(), notes.append)] == usual
    assert notes == [
        f"flakefighter {name} of another package is left out: {why}"
        for name, why in (
            ("'Bad-Name'", "its name must be lower-case letters, digits and _"),
            ("gone", "it cannot be loaded: ModuleNotFoundError: No module named 'nowhere'"),
            ("own", "it has no method judge()"),
            ("rerun", "built in has it"),
        )
    ]


def test_one_that_cannot_be_made(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(f"own={__name__}:Own")
    monkeypatch.setattr(Own, "__init__", lambda self: 1 / 0)
    notes: list[str] = []
    assert "own" not in [one.name for one in choose(Choice(), notes.append)]
    assert notes == [
        "flakefighter own of another package is left out: ZeroDivisionError: division by zero"
    ]


def test_settings_of_one_that_is_not_there() -> None:
    notes: list[str] = []
    choose(Choice(settings={"persistant": given(enabled=True)}), notes.append)
    assert notes == [
        "there is no flakefighter persistant (pyproject.toml:7); did you mean persistent?"
    ]


def test_what_has_to_be_collected(installed: Any) -> None:
    installed(f"own={__name__}:Own", f"quiet={__name__}:Quiet")
    assert not needed(Choice(("marked",)), Need.COVERAGE)
    assert needed(Choice(("own",)), Need.COVERAGE)
    assert needed(Choice(settings={"own": given(least=2)}), Need.COVERAGE)
    assert not needed(Choice(settings={"own": given(enabled=False)}), Need.COVERAGE)
    assert not needed(Choice(settings={"quiet": given(least=2)}), Need.COVERAGE)
    assert needed(Choice(("touched_change",)), Need.TRACE)


# -- settings ----------------------------------------------------------------------------------


def test_settings_are_checked_by_their_model() -> None:
    notes: list[str] = []
    found = checked("own", Strict, given(least="5", token="t0p"), notes.append)
    assert (found.least, found.token.get_secret_value(), notes) == (5, "t0p", [])
    assert checked("own", Loose, given(margin="0.5", names=["a"]), notes.append) == Loose(
        0.5, ("a",)
    )
    assert checked("own", Strict, given(enabled=True), notes.append) is None
    assert notes == []


def test_what_is_malformed_has_its_default() -> None:
    notes: list[str] = []
    values = given(least=0, wrong=1, token="t0p")
    found = checked("own", Strict, values, notes.append)
    assert (found.least, found.token.get_secret_value()) == (3, "t0p")
    assert checked("own", Loose, given(margin="much"), notes.append) is None
    assert checked("own", None, given(least=1, enabled="maybe"), notes.append) is None
    unread = "unable to parse string as a number"
    end = "(set in pyproject.toml:7); its default holds"
    assert notes == [
        f"flakefighter own: least must be greater than or equal to 1 {end}",
        f"flakefighter own: wrong is no setting of it {end}",
        f"flakefighter own: margin must be a valid number, {unread} {end}",
        "flakefighter own: enabled must be true or false (set in pyproject.toml:7)",
        "flakefighter own has no setting least (set in pyproject.toml:7)",
    ]
    assert "t0p" not in "".join(notes)


def test_settings_for_people() -> None:
    assert [tuple(one) for one in fields_of(Strict)] == [
        ("enabled", "true", False),
        ("least", "3", False),
        ("token", "none", True),
    ]
    assert [tuple(one) for one in fields_of(Loose, default=False)] == [
        ("enabled", "false", False),
        ("margin", "0.2", False),
        ("names", "()", False),
    ]


def test_switches() -> None:
    assert [is_on(one) for one in (True, "yes", "ON", 1)] == [True] * 4
    assert [is_on(one) for one in (False, "no", "Off", 0)] == [False] * 4
    nothing: tuple[Any, ...] = ("", "maybe", None, [])
    assert [is_on(one) for one in nothing] == [None] * 4


def test_settings_of_ours_are_checked() -> None:
    """Each module with settings names them in its class, and is made from each of them."""
    with_settings = set()
    for entry in known(lambda _: None, ()):
        module = sys.modules[entry.make.__module__]
        assert entry.settings is getattr(module, "Settings", None), entry.name
        assert entry.make().name == entry.name
        if entry.settings is not None:
            with_settings.add(entry.name)
            assert entry.make(entry.settings()).name == entry.name
    assert with_settings == {"traceback", "similarity", "flip_rate", "coverage_independence"}


def test_values_that_ours_refuse() -> None:
    notes: list[str] = []
    wrong = {
        "similarity": given(least="much", margin="0.3"),
        "coverage_independence": given(linkage="nearest", enabled=True),
    }
    found = {one.name: one for one in choose(Choice(settings=wrong), notes.append)}
    assert vars(found["similarity"])["_settings"] == Similarity.settings_model(margin=0.3)
    assert "coverage_independence" in found
    assert [note.partition(" must be ")[0] for note in notes] == [
        "flakefighter similarity: least",
        "flakefighter coverage_independence: linkage",
    ]
    notes.clear()
    ward = {"coverage_independence": given(linkage="ward", enabled=True)}
    assert "coverage_independence" not in [
        one.name for one in choose(Choice(settings=ward), notes.append)
    ]
    assert "the linkage ward needs the distance euclidean" in notes[0]


def test_the_names_of_clusters_are_those_that_there_are() -> None:
    hints = get_type_hints(CoverageIndependence.settings_model)
    assert set(get_args(hints["distance"])) == set(DISTANCES)
    assert set(get_args(hints["linkage"])) == set(LINKAGES)
