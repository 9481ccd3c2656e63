"""Which code that ran before a test matters to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flakefighters.fighters.touching import touching
from flakefighters.model import (
    Baseline,
    Change,
    ChangeKind,
    Changes,
    Effect,
    Imported,
    Kept,
    Reach,
    Touch,
)
from tests.fighters.cases import case, past

RULE = ("shop/rules.py", "rule")
CHANGE = Change(kind=ChangeKind.FUNCTION, path=RULE[0], unit=RULE[1], line=1)
EFFECT = Effect(change=CHANGE, targets=frozenset({RULE}))
MODULES = frozenset({"tests/test_b.py", "shop/tax.py"})
IMPORT = Imported(file="tests/test_b.py", modules=MODULES, ran=frozenset({RULE}))


@pytest.mark.parametrize(
    ("reached", "unknown", "touched"),
    [
        ({"tests/test_a.py", "shop/rules.py"}, None, False),
        ({"tests/test_a.py", "shop/rules.py", "shop/tax.py"}, None, True),
        ({"tests/test_a.py", "shop/tax.py"}, None, False),
        ({"tests/test_a.py", "shop/rules.py"}, "it computes a name", True),
    ],
)
def test_what_ran_in_an_import_matters_to_who_depends_on_it(
    reached: set[str], unknown: str | None, touched: bool
) -> None:
    changes = Changes(changes=(CHANGE,), effects=(EFFECT,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files=dict.fromkeys(reached, ""), unknown=unknown, unknown_anyway=unknown),
        touch=Touch(imports=frozenset({IMPORT})),
    )
    assert bool(touching(failed, passed).touched) is touched


READER = ("shop/net.py", "fetch")
LOADER = ("shop/plugins.py", "load")
NET = frozenset({"shop/net.py"})
CONSTANT = Change(kind=ChangeKind.STATEMENT, path="shop/tax.py", unit="RATE", line=1)


@pytest.mark.parametrize(
    ("reached", "unknown", "touch", "how"),
    [
        ({"shop/tax.py"}, None, {"imports": {IMPORT}}, "touched"),
        (set(), None, {"imports": {IMPORT}}, "nothing"),
        (set(), "it computes a name", {"imports": {IMPORT}}, "doubt"),
        (set(), None, {}, "nothing"),  # never imported
        (set(), "it calls exec()", {}, "nothing"),
        (set(), "it calls exec()", {"opened_before": {"shop/tax.py"}}, "doubt"),  # with its text?
        (set(), None, {"imported_before": {"shop/tax.py"}}, "touched"),  # by whom?
        (set(), None, {"imports": {IMPORT}, "blind": {"shop/tax.py"}}, "touched"),
        (set(), None, {"imports": {IMPORT}, "imported": {"shop/tax.py"}}, "touched"),
    ],
)
def test_a_name_is_of_the_changed_file_if_that_can_have_come_in(
    reached: set[str], unknown: str | None, touch: dict[str, set[str]], how: str
) -> None:
    effect = Effect(change=CONSTANT, targets=frozenset({READER}))
    changes = Changes(changes=(CONSTANT,), effects=(effect,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    files = dict.fromkeys({"tests/test_a.py", "shop/net.py", *reached}, "")
    seen: dict[str, Any] = {name: frozenset(value) for name, value in touch.items()}
    failed = case(
        baseline=passed,
        reach=Reach(files=files, unknown=unknown, unknown_anyway=unknown),
        touch=Touch(ran=frozenset({READER}), **seen),
    )
    found = touching(failed, passed)
    assert (bool(found.touched), bool(found.doubts)) == (how == "touched", how == "doubt")


@pytest.mark.parametrize(
    ("touch", "doubt"),
    [
        ({}, False),
        ({"ran": {LOADER}}, True),
        ({"ran_before": {LOADER}}, True),
        ({"blind": {LOADER[0]}}, True),
        ({"imports": {replace(IMPORT, ran=frozenset({LOADER}))}}, False),
        ({"imports": {Imported(file="shop/net.py", modules=NET, ran=frozenset({LOADER}))}}, True),
    ],
)
def test_a_computed_import_matters_to_who_ran_it(touch: dict[str, Any], doubt: bool) -> None:
    change = replace(CONSTANT, names=("RATE", "*"))
    changes = Changes(changes=(change,), effects=(Effect(change=change, at_import=True),))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    seen: dict[str, Any] = {name: frozenset(value) for name, value in touch.items()}
    failed = case(
        baseline=passed,
        reach=Reach(
            files=dict.fromkeys({"tests/test_a.py", "shop/net.py", LOADER[0]}, ""),
            unknown="computes",
            unknown_in={LOADER: "computes"},
        ),
        touch=Touch(imported_before=frozenset({"shop/tax.py"}), **seen),
    )
    found = touching(failed, passed)
    assert not found.touched
    assert bool(found.doubts) is doubt


DATA = Change(kind=ChangeKind.DATA, path="shop/rates.json", how="changed")


@pytest.mark.parametrize(
    ("openers", "collected", "doubt"),
    [
        (set(), set(), True),
        ({""}, set(), True),
        ({"shop/net.py"}, set(), True),
        ({"shop/net.py", "shop/other.py"}, set(), True),
        ({"shop/other.py"}, set(), False),
        ({"<test>"}, set(), False),
        ({""}, {"shop/rates.json"}, False),  # a text with tests
    ],
)
def test_what_was_read_before_and_may_have_been_kept(
    openers: set[str], collected: set[str], doubt: bool
) -> None:
    changes = Changes(changes=(DATA,), effects=(Effect(change=DATA),))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": "", "shop/net.py": ""}),
        collected=frozenset(collected),
        touch=Touch(
            opened_before=frozenset({DATA.path}),
            openers=frozenset((DATA.path, file) for file in openers),
        ),
    )
    assert bool(touching(failed, passed).doubts) is doubt


@pytest.mark.parametrize(("unit", "touched"), [("test_a", True), ("test_b", False)])
def test_a_test_that_asks_for_a_change_need_not_run(unit: str, touched: bool) -> None:
    change = Change(
        kind=ChangeKind.FUNCTION, path="tests/conftest.py", unit="rate", names=("@rate",)
    )
    effect = Effect(change=change, asked=frozenset({("tests/test_a.py", unit)}))
    changes = Changes(changes=(change,), effects=(effect,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        nodeid="tests/test_a.py::test_a[x::y]",
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": "", "tests/conftest.py": ""}),
        touch=Touch(),
    )
    assert bool(touching(failed, passed).touched) is touched


@pytest.mark.parametrize(
    ("path", "unit", "carried", "headed", "touched"),
    [
        ("tests/test_a.py", "TestA", {"TestA"}, True, True),
        ("tests/test_a.py", "TestA", {"TestA"}, False, False),
        ("tests/test_a.py", "TestB", {"TestB"}, True, False),
        ("tests/test_a.py", "Base", {"Base", "TestA"}, True, True),
        ("tests/base.py", "Base", {"Base", "TestA"}, True, True),
        ("tests/base.py", "Base", {"Base", "TestB"}, True, False),
        ("tests/other.py", "TestA", {"TestA"}, True, False),
    ],
)
def test_a_class_that_is_made_otherwise_matters_to_its_tests(
    path: str, unit: str, carried: set[str], headed: bool, touched: bool
) -> None:
    change = Change(kind=ChangeKind.CLASS, path=path, unit=unit, names=(unit,), headed=headed)
    effect = Effect(change=change, carried=frozenset(carried))
    changes = Changes(changes=(change,), effects=(effect,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        nodeid="tests/test_a.py::TestA::test_a",
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": "", "tests/base.py": ""}),
        touch=Touch(),
    )
    assert bool(touching(failed, passed).touched) is touched


@pytest.mark.parametrize(("unit", "touched"), [("TestA.setUp", True), ("TestB.setUp", False)])
def test_a_set_up_matters_to_the_tests_of_its_class(unit: str, touched: bool) -> None:
    change = Change(
        kind=ChangeKind.FUNCTION,
        path="tests/test_a.py",
        unit=unit,
        how="removed",
        names=(".setUp", unit.partition(".")[0]),
        headed=True,
    )
    changes = Changes(changes=(change,), effects=(Effect(change=change),))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        nodeid="tests/test_a.py::TestA::test_a",
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": ""}),
        touch=Touch(),
    )
    assert bool(touching(failed, passed).touched) is touched


def test_names_in_a_file_with_other_tests_are_its_own() -> None:
    change = Change(
        kind=ChangeKind.STATEMENT,
        path="tests/test_b.py",
        unit="pytest",
        line=1,
        names=("pytest", "*"),
    )
    effect = Effect(change=change, targets=frozenset({READER}), at_import=True)
    changes = Changes(changes=(change,), effects=(effect,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": "", "shop/net.py": ""}, unknown="it calls exec()"),
        touch=Touch(ran=frozenset({READER}), imports=frozenset({IMPORT})),
    )
    found = touching(failed, passed)
    assert not found.touched
    assert not found.doubts


def test_a_file_with_other_tests_may_alter_things_for_all() -> None:
    change = Change(
        kind=ChangeKind.STATEMENT, path="tests/test_b.py", unit="rates.RATE", names=("RATE", "*")
    )
    effect = Effect(change=change, targets=frozenset({READER}), at_import=True)
    changes = Changes(changes=(change,), effects=(effect,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files={"tests/test_a.py": "", "shop/net.py": ""}),
        touch=Touch(ran=frozenset({READER}), imports=frozenset({IMPORT})),
    )
    assert touching(failed, passed).touched


KEPT = Kept(
    unit=("shop/state.py", "rate at 4 keeps rate"),
    ran=frozenset({RULE}),
    readers=frozenset({("shop/net.py", "fetch at 9")}),
)


@pytest.mark.parametrize(
    ("kept", "ran", "reached", "doubt"),
    [
        (KEPT, {("shop/net.py", "fetch at 9")}, set(), True),
        (KEPT, {("shop/net.py", "fetch")}, {KEPT.unit[0]}, False),
        (replace(KEPT, ran=frozenset({READER})), KEPT.readers, set(), False),
        (replace(KEPT, ran=frozenset({("", "")})), KEPT.readers, set(), True),
        (replace(KEPT, readers=None), set(), {KEPT.unit[0]}, True),
        (replace(KEPT, readers=None), set(), set(), False),
    ],
)
def test_what_changed_code_gave_an_earlier_test_matters_to_who_reads_it(
    kept: Kept, ran: set[tuple[str, str]], reached: set[str], doubt: bool
) -> None:
    changes = Changes(changes=(CHANGE,), effects=(EFFECT,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files=dict.fromkeys({"tests/test_a.py", *reached}, "")),
        touch=Touch(ran=frozenset(ran), kept=(kept,)),
    )
    found = touching(failed, passed)
    assert not found.touched
    assert bool(found.doubts) is doubt
