"""Any run that hypothesis can think of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from flakefighters.history.content import normal
from flakefighters.history.run_columns import HASHED, Form
from flakefighters.ids import h128, uuid7
from flakefighters.model import (
    Completeness,
    Environment,
    Execution,
    Failure,
    Outcome,
    Phase,
    Project,
    Run,
    RunHead,
    State,
)

#: Characters that databases, JSON, SQL and drivers stumble over.
NASTY = "\x00\x11\ud800\udfff\u202e\u2066\n\r\t'\"%:{}\\;\x7f\xa0\ufeff\U0010ffff"

characters = st.one_of(st.characters(), st.sampled_from(NASTY))
texts = st.text(characters, max_size=12)
optional_texts = st.none() | texts
numbers = st.integers(-(2**63), 2**63 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(texts, json_values, max_size=3)
listings = st.dictionaries(texts, st.text("0123456789abcdef", min_size=16, max_size=16), max_size=6)

failures = st.builds(
    Failure,
    phase=st.sampled_from(Phase),
    subtest=optional_texts,
    exception=optional_texts,
    text=texts,
    signature=st.just("") | st.builds(h128, texts),
    signature_version=st.integers(0, 9),
    facts=mappings,
)
_FIELDS = {
    Form.PLAIN: st.none() | numbers,
    Form.TEXT: optional_texts,
    Form.FLAG: st.none() | st.booleans(),
    Form.WORD: st.sampled_from(Completeness),
    Form.MAPPING: mappings,
}
times = st.none() | st.integers(0, 10**12)


@st.composite
def executions(draw: st.DrawFn, nodeid: str) -> list[Execution]:
    return [
        Execution(
            nodeid=nodeid,
            attempt=attempt,
            outcome=draw(st.sampled_from(list(Outcome))),
            durations=(draw(times), draw(times), draw(times)),
            failures=tuple(draw(st.lists(failures, max_size=2))),
            reason=draw(optional_texts),
            output=draw(optional_texts),
            worker=draw(optional_texts),
        )
        for attempt in range(1, draw(st.integers(1, 3)) + 1)
    ]


@st.composite
def states(draw: st.DrawFn) -> State:
    tree, digest = draw(optional_texts), draw(optional_texts)
    return State(
        id=h128("state", tree, digest), tree=tree, digest=digest, files=draw(st.none() | listings)
    )


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    settings = draw(st.dictionaries(texts, texts | st.integers() | st.booleans(), max_size=3))
    distributions = draw(st.dictionaries(texts, texts, max_size=3))
    return Environment(
        id=h128("environment", settings, distributions),
        key=h128("environment key", settings),
        settings=settings,
        distributions=distributions,
    )


@st.composite
def runs(draw: st.DrawFn, project: Project | None = None) -> Run:
    """A run in normal form, with an id of its own."""
    if project is None:
        identity = draw(texts)
        project = Project(identity=identity, label="label of " + identity)
    suite = draw(st.lists(texts, unique=True, max_size=8))
    size = len(suite)
    letters = st.sampled_from("..FEsxXR?-")
    order = None
    if draw(st.booleans()):
        places = draw(st.permutations(range(size)))
        cut = draw(st.integers(0, size))
        order = [places[:cut], places[cut:]]
    special = draw(st.lists(st.sampled_from(suite), unique=True)) if suite else []
    if draw(st.integers(0, 5)) == 0:  # reported, but never collected
        special = [*special, *({draw(texts)} - set(suite))]
    state = draw(st.none() | states())
    environment = draw(st.none() | environments())
    head: dict[str, Any] = {
        field: draw(_FIELDS[column.form]) for field, column in HASHED.items() if field != "started"
    }
    return normal(
        Run(
            head=RunHead(
                id=uuid7(),
                project=project.identity,
                started=draw(st.integers(0, 2**50)),
                **head,
            ),
            project=project,
            state=state,
            environment=environment,
            suite=suite,
            outcomes=draw(st.text(letters, min_size=size, max_size=size)),
            durations=draw(st.lists(st.integers(0, 10**9), min_size=3 * size, max_size=3 * size)),
            order=order,
            executions=[each for nodeid in special for each in draw(executions(nodeid))],
            seen=draw(mappings),
        )
    )
