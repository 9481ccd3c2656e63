"""The nouns as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.capture import wire
from flakefighters.model import (
    Completeness,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Project,
    RunHead,
    Secret,
    State,
    Target,
    Verdict,
)

text = st.text(max_size=8)
maybe = st.none() | text
number = st.integers(0, 2**53)
mapping = st.dictionaries(text, text | number | st.none() | st.lists(text, max_size=2), max_size=2)
failures = st.builds(
    Failure,
    phase=st.sampled_from(Phase),
    subtest=maybe,
    exception=maybe,
    text=text,
    signature=text,
    facts=mapping,
)
executions = st.builds(
    Execution,
    nodeid=text,
    attempt=st.integers(1, 9),
    outcome=st.sampled_from(Outcome),
    durations=st.tuples(*[st.none() | number] * 3),
    failures=st.lists(failures, max_size=2).map(tuple),
    reason=maybe,
    worker=maybe,
)
heads = st.builds(
    RunHead,
    id=text,
    project=text,
    started=number,
    ended=st.none() | number,
    dirty=st.none() | st.booleans(),
    completeness=st.sampled_from(Completeness),
    selection=mapping,
    origin=mapping,
    context=mapping,
    extra=mapping,
)
verdicts = st.builds(
    Verdict,
    label=st.sampled_from(Label),
    fighter=text,
    version=number,
    confidence=st.sampled_from(Confidence),
    reason=text,
    evidence=mapping,
    introduced=st.booleans(),
    index=number,
)
states = st.builds(
    State, id=text, tree=maybe, digest=maybe, files=st.none() | st.dictionaries(text, text)
)
environments = st.builds(
    Environment, id=text, key=text, settings=mapping, distributions=st.dictionaries(text, text)
)


@given(st.one_of(executions, heads, verdicts, states, environments, failures))
def test_there_and_back(value: Any) -> None:
    travelled = json.loads(json.dumps(wire.dump(value)))
    assert wire.load(type(value), travelled) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from([Execution, RunHead, Verdict, State, Environment, Failure, Project, Target]),
    st.data(),
)
def test_anything_else_is_refused(kind: type[Any], data: st.DataObject) -> None:
    """Nothing but TypeError and ValueError, and what is read has the declared types."""
    names = list(kind._fields)
    value = data.draw(
        json_values | st.dictionaries(st.sampled_from(names), json_values, max_size=len(names))
    )
    try:
        found = wire.load(kind, value)
    except (TypeError, ValueError):
        return
    json.dumps(wire.plain({name: getattr(found, name) for name in names}))


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": "1"},
        {"attempt": True},
        {"attempt": 1.5},
        {"nodeid": None},
        {"nodeid": ["x"]},
        {"outcome": "Q"},
        {"durations": [1, 2]},
        {"durations": "abc"},
        {"failures": {"a": 1}},
        {"failures": [None]},
        {"failures": "F"},
    ],
)
def test_wrong_types(change: dict[str, Any]) -> None:
    good = wire.dump(Execution(nodeid="a", attempt=1, outcome=Outcome.PASSED))
    wire.load(Execution, good)
    with pytest.raises((TypeError, ValueError)):
        wire.load(Execution, {**good, **change})


def test_unknown_fields_are_dropped() -> None:
    project = Project(identity="a", label="b")
    assert wire.load(Project, {**wire.dump(project), "later": 1}) == project


def test_secrets_do_not_travel() -> None:
    target = Target(backend="postgresql", password=Secret("x"), path=Path("/a"))
    with pytest.raises(TypeError):
        wire.dump(target)
