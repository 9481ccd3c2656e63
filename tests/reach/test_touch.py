"""What an execution had to do with the changes: touched, doubtful, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.model import (
    EVERYONE,
    Change,
    ChangeKind,
    Code,
    DoubtKind,
    Effect,
    How,
    Link,
    Name,
    Process,
    Reach,
    Scope,
    Touching,
    Trace,
    Unit,
    Via,
)
from flakefighters.reach.early_loading import EarlyLoading
from flakefighters.reach.seen import Execution
from flakefighters.reach.side_effects import SideEffects
from flakefighters.reach.touch import Touch
from tests.reach.projects import project

TEST, RULES, NET = "tests/test_a.py", "shop/rules.py", "shop/net.py"
FILES = {
    TEST: "from shop.net import fetch\n\ndef test_a():\n    fetch()\n",
    "tests/test_b.py": "def test_b():\n    pass\n",
    RULES: "RATE = 1\n\ndef rule():\n    return RATE\n",
    NET: "from shop.rules import RATE\n\ndef fetch():\n    return RATE\n",
}
RULE = Unit(RULES, "rule", 3)
FETCH = Unit(NET, "fetch", 3)
BODY = Change(kind=ChangeKind.FUNCTION, path=RULES, unit="rule", line=3)
CONSTANT = Change(
    kind=ChangeKind.STATEMENT,
    path=RULES,
    unit="RATE",
    line=1,
    names=(Name(Scope.MODULE, "RATE"),),
)
DATA = Change(kind=ChangeKind.DATA, path="shop/rates.json")
NEAR = Reach(files=dict.fromkeys((TEST, NET, RULES), ""))
FAR = Reach(files=dict.fromkeys((TEST, NET), ""))


def effect(change: Change, *links: tuple[Via, Unit], **more: Any) -> Effect:
    return Effect(change=change, links=frozenset(Link(*link) for link in links), **more)


RAN = effect(BODY, (Via.RUN, RULE))
READ = effect(CONSTANT, (Via.READ, FETCH))


def touching(
    *effects: Effect,
    ran: tuple[Unit, ...] = (),
    reach: Reach = NEAR,
    nodeid: str = f"{TEST}::test_a",
    loaded: Mapping[str, str] | None = None,
    way: str = "functions",
    unknown: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
    seen: Mapping[str, Any] | None = None,
) -> Touching:
    """The account of one execution in a process that loaded all files."""
    loaders = dict.fromkeys(FILES, "import") if loaded is None else loaded
    process = Process(loaded=dict.fromkeys(loaders.items(), 1), **(facts or {}))
    trace = Trace(
        process=process,
        at=1,
        way=way,
        ran=frozenset(Code(*unit) for unit in ran),
        unknown=unknown,
        **(seen or {}),
    )
    files = project(FILES)
    asked = Execution(
        nodeid=nodeid,
        own_file=nodeid.partition("::")[0],
        trace=trace,
        collected=frozenset({TEST, "tests/test_b.py"}),
        reach=lambda: reach,
        watched=frozenset({DATA.path}),
    )
    early = EarlyLoading(files, [path for path, by in loaders.items() if by == "before"])
    touch = Touch(asked, files, SideEffects(files), early)
    return touch.of(effects, [one.change for one in effects])


def kinds(found: Touching) -> set[DoubtKind]:
    return {doubt.kind for doubt in found.doubts}


def ways(found: Touching) -> list[How]:
    return [how for how, _ in found.touched]


def test_running_a_changed_function_is_a_touch() -> None:
    assert ways(touching(RAN, ran=(RULE,))) == [How.RAN]


def test_a_body_that_did_not_run_is_none() -> None:
    found = touching(RAN, ran=(FETCH,))
    assert (found.touched, found.doubts, found.certain) == ((), (), True)


def test_a_body_that_ran_in_an_earlier_test_makes_it_less_sure() -> None:
    found = touching(RAN, ran=(FETCH,), facts={"earlier": {Code(*RULE): 1}})
    assert (found.touched, found.doubts) == ((), ())
    assert found.ran_before
    assert not found.certain


def test_what_ran_in_an_import_matters_to_who_depends_on_the_module() -> None:
    facts = {"at_import": {(RULES, Code(*RULE)): 1}}
    assert ways(touching(RAN, facts=facts)) == [How.RAN_AT_IMPORT]
    assert not touching(RAN, facts=facts, reach=FAR).touched


def test_reading_a_changed_name_is_a_touch() -> None:
    assert ways(touching(READ, ran=(FETCH,))) == [How.READS]
    assert not touching(READ, ran=()).touched


def test_a_name_is_of_a_file_that_can_have_come_in() -> None:
    assert not touching(READ, ran=(FETCH,), reach=FAR).touched
    computes = replace(FAR, unknown="computes", unknown_anyway="computes")
    assert kinds(touching(READ, ran=(FETCH,), reach=computes)) == {DoubtKind.MAY_IMPORT}


def test_what_nobody_loaded_cannot_matter() -> None:
    found = touching(RAN, READ, ran=(FETCH,), loaded={TEST: "pytest", NET: "import"})
    assert (found.touched, found.doubts) == ((), ())


def test_a_file_that_is_gone_is_missed_by_who_imports_it() -> None:
    gone = effect(Change(kind=ChangeKind.FILE, path=RULES, how="removed"))
    loaded = {TEST: "pytest", NET: "import"}
    assert ways(touching(gone, loaded=loaded)) == [How.ASKS]
    found = touching(gone, loaded=loaded, reach=FAR)
    assert (found.touched, found.certain) == ((), False)


@pytest.mark.parametrize(
    ("via", "unit", "kind"),
    [
        (Via.MAY_READ, FETCH, DoubtKind.MAY_READ),
        (Via.IMPORT, Unit(RULES, "", 0), DoubtKind.AT_IMPORT),
        (Via.HANDED, Unit(NET, "TABLE", 1), DoubtKind.HANDED_ON),
    ],
)
def test_what_may_be_reached_is_a_doubt(via: Via, unit: Unit, kind: DoubtKind) -> None:
    assert kinds(touching(effect(CONSTANT, (via, unit)), ran=(FETCH,))) == {kind}


@pytest.mark.parametrize(("unit", "touched"), [("test_a", True), ("test_b", False)])
def test_a_test_that_asks_for_a_change_need_not_run(unit: str, touched: bool) -> None:
    change = Change(
        kind=ChangeKind.FUNCTION,
        path="tests/conftest.py",
        unit="rate",
        names=(Name(Scope.FIXTURE, "rate"),),
    )
    loaded = {**dict.fromkeys(FILES, "import"), change.path: "pytest"}
    asked = effect(change, (Via.ASK, Unit(TEST, unit, 3)))
    found = touching(asked, nodeid=f"{TEST}::test_a[x::y]", loaded=loaded)
    assert (How.ASKS in ways(found)) is touched


@pytest.mark.parametrize(
    ("path", "unit", "names", "headed", "touched"),
    [
        (TEST, "TestA", {"TestA"}, True, True),
        (TEST, "TestA", {"TestA"}, False, False),
        (TEST, "TestB", {"TestB"}, True, False),
        (TEST, "Base", {"Base", "TestA"}, True, True),
        (NET, "Base", {"Base", "TestA"}, True, True),
        (NET, "Base", {"Base", "TestB"}, True, False),
        ("tests/test_b.py", "TestA", {"TestA"}, True, False),
    ],
)
def test_a_class_that_is_made_otherwise_matters_to_its_tests(
    path: str, unit: str, names: set[str], headed: bool, touched: bool
) -> None:
    change = Change(
        kind=ChangeKind.CLASS,
        path=path,
        unit=unit,
        names=(Name(Scope.MODULE, unit),),
        headed=headed,
    )
    found = touching(effect(change, names=frozenset(names)), nodeid=f"{TEST}::TestA::test_a")
    assert (How.ASKS in ways(found)) is touched


@pytest.mark.parametrize(
    ("openers", "doubt"),
    [
        (set(), False),
        ({""}, True),
        ({NET}, True),
        ({NET, "shop/other.py"}, True),
        ({"shop/other.py"}, False),
        ({"<test>"}, False),
    ],
)
def test_what_was_read_before_and_may_have_been_kept(openers: set[str], doubt: bool) -> None:
    facts = {"opened": {(DATA.path, file): 1 for file in openers}}
    found = touching(effect(DATA), facts=facts)
    assert (DoubtKind.READ_BEFORE in kinds(found)) is doubt


def test_opening_a_changed_file_is_a_touch() -> None:
    assert ways(touching(effect(DATA), seen={"opened": frozenset({DATA.path})})) == [How.OPENED]
    new = replace(DATA, how="added")
    assert ways(touching(effect(new), seen={"opened": frozenset({"shop"})})) == [How.LISTED]
    text = effect(BODY, (Via.RUN, RULE))
    assert ways(touching(text, seen={"opened": frozenset({RULES})})) == [How.OPENED]


def test_a_name_of_a_data_file_is_a_doubt() -> None:
    named = effect(DATA, (Via.NAMED, FETCH))
    assert kinds(touching(named, ran=(FETCH,))) == {DoubtKind.NAMED}
    assert not kinds(touching(named, ran=()))


def test_what_was_loaded_before_anybody_watched() -> None:
    loaded = {**dict.fromkeys(FILES, "import"), RULES: "before"}
    assert kinds(touching(effect(CONSTANT), ran=(), loaded=loaded)) == {DoubtKind.LOADED_EARLY}
    # Nothing that was loaded calls it.
    assert not kinds(touching(RAN, ran=(), loaded=loaded))


def test_what_was_loaded_by_its_name() -> None:
    loaded = {**dict.fromkeys(FILES, "import"), RULES: "computed"}
    assert kinds(touching(effect(CONSTANT), loaded=loaded)) == {DoubtKind.BY_LIBRARY}


@pytest.mark.parametrize(("reach", "kind"), [(NEAR, {DoubtKind.UNSEEN}), (FAR, set())])
def test_without_functions_only_imports_tell(reach: Reach, kind: set[DoubtKind]) -> None:
    found = touching(RAN, way="imports", reach=reach)
    assert (kinds(found), found.watched, found.certain) == (kind, False, False)


def test_what_an_earlier_test_altered_is_a_doubt() -> None:
    changed = "from shop import rules\n\n\ndef test_b():\n    rules.RATE = 7\n"
    unit = Unit("tests/test_b.py", "test_b", 4)
    change = Change(kind=ChangeKind.FUNCTION, path=unit.path, unit="test_b", line=4)
    FILES[unit.path] = changed
    try:
        facts = {"earlier": {Code(*unit): 1}}
        found = touching(effect(change, (Via.RUN, unit)), ran=(FETCH,), facts=facts)
        assert kinds(found) == {DoubtKind.LEFT_BEHIND}
    finally:
        FILES[unit.path] = "def test_b():\n    pass\n"


# -- the law -----------------------------------------------------------------------------------

UNITS = st.sampled_from(
    [RULE, FETCH, Unit(TEST, "test_a", 3), Unit(NET, "", 0), Unit(RULES, "", 0)]
)
LINKS = st.builds(Link, st.sampled_from(Via), UNITS)
CHANGES = st.builds(
    Change,
    kind=st.sampled_from([ChangeKind.FUNCTION, ChangeKind.CLASS, ChangeKind.STATEMENT]),
    path=st.sampled_from([RULES, NET, TEST]),
    unit=st.sampled_from(["rule", "fetch", "RATE"]),
    line=st.just(3),
    how=st.sampled_from(["changed", "added", "removed"]),
    names=st.sampled_from([(), (Name(Scope.MODULE, "RATE"),), (EVERYONE,)]),
)
EFFECTS = st.builds(
    Effect, change=CHANGES, links=st.frozensets(LINKS, max_size=4), leaves=st.booleans()
)


def rank(found: Touching) -> int:
    """0 is FLAKY, 1 UNDECIDED, 2 GENUINE."""
    return 2 if found.touched else 1 if found.doubts else 0


@given(
    st.lists(EFFECTS, max_size=3),
    EFFECTS,
    LINKS,
    st.frozensets(UNITS.filter(lambda unit: bool(unit.name)), max_size=3),
    st.sampled_from([NEAR, FAR]),
)
@settings(max_examples=300, deadline=None)
def test_doubt_is_the_default(
    effects: list[Effect], more: Effect, link: Link, ran: frozenset[Unit], reach: Reach
) -> None:
    """Adding a link or a change, or knowing less, never moves a verdict to FLAKY."""
    ran = frozenset(unit for unit in ran if unit.path in reach.files)  # by its imports
    known: dict[str, Any] = {"ran": tuple(ran), "reach": reach}
    before = rank(touching(*effects, **known))
    assert rank(touching(*effects, more, **known)) >= before
    if effects:
        linked = replace(effects[0], links=effects[0].links | {link})
        after = rank(touching(linked, *effects[1:], **known))
        assert after > 0 or before == 0
    lost = {
        "unknown": ("it could not be seen",),
        "reach": replace(reach, unknown="computes", unknown_anyway="computes"),
        "way": "imports",
    }
    for name, value in lost.items():
        after = rank(touching(*effects, **{**known, name: value}))
        assert after > 0 or before == 0, name
