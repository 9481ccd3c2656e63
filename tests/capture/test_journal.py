"""Journals: what is written comes back, whatever became of the file."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flakefighters.capture import journal as module
from flakefighters.capture.journal import Journal, lives
from flakefighters.capture.recorder import Closed
from flakefighters.capture.recovery import JournalError, Recovered, heading, recover
from flakefighters.ids import uuid7
from flakefighters.model import (
    Completeness,
    Environment,
    Execution,
    Failure,
    Outcome,
    Phase,
    Project,
    RunHead,
    State,
)
from flakefighters.originals import real

RUN = uuid7(1_700_000_000_000_000)
HEAD = RunHead(id=RUN, project="local:x", started=1_700_000_000_000_000, branch="main")
ENVIRONMENT = Environment(id="e", key="k", settings={"python": "3.11"}, distributions={"a": "1"})
SUITE = ["a.py::a", "a.py::b", "a.py::é\x00\udc80", "a.py::d"]


def failed(nodeid: str, attempt: int = 1) -> Execution:
    failure = Failure(phase=Phase.CALL, exception="E", text="text\n\u202e", signature="s")
    return Execution(nodeid=nodeid, attempt=attempt, outcome=Outcome.FAILED, failures=(failure,))


def written(folder: Path, *, end: bool = True) -> Journal:
    """A journal of four tests: passed, failed, passed after a rerun, begun."""
    made = Journal(folder, RUN)
    made.begin(HEAD, Project(identity="local:x", label="x"), State(id="s"), ENVIRONMENT, "local")
    made.suite(SUITE[:2])
    made.suite(SUITE[2:])
    made.flush()
    passed = Execution(nodeid=SUITE[2], attempt=2, outcome=Outcome.PASSED)
    ended: list[list[Closed]] = [
        [(0, (1, 2, 3), None)],
        [(1, (1, 2, 3), failed(SUITE[1]))],
        [(2, (0, 1, 0), failed(SUITE[2])), (2, (4, 5, 6), passed)],
    ]
    for position, attempts in enumerate(ended):
        made.started(position)
        made.flush()
        made.closed(attempts)
    made.started(3)
    made.flush()
    if end:
        made.end(HEAD, ENVIRONMENT, State(id="s"), {}, [[0, 1, 2, 3]], ())
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".flakefighters" / "spool"


def test_a_whole_journal(folder: Path) -> None:
    made = written(folder)
    found = recover(made.path)
    assert found.ended
    assert found.damaged == 0
    assert found.address == "local"
    assert list(found.run.suite) == SUITE
    assert found.run.outcomes == ".FR-"
    assert list(found.run.durations) == [1, 2, 3, 1, 2, 3, 4, 5, 6, 0, 0, 0]
    assert found.run.head == HEAD
    assert found.run.environment == ENVIRONMENT
    assert [one.nodeid for one in found.run.executions] == [SUITE[1], SUITE[2], SUITE[2]]
    assert found.run.executions[0] == failed(SUITE[1])
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert (folder.parent / ".gitignore").read_text() == "*\n"


def test_a_run_that_never_ended(folder: Path) -> None:
    found = recover(written(folder, end=False).path)
    assert not found.ended
    assert found.run.outcomes == ".FR?"
    assert found.run.head.completeness is Completeness.INTERRUPTED
    assert found.run.executions[-1].outcome is Outcome.UNFINISHED


def _prefix(whole: Recovered, part: Recovered) -> None:
    assert list(whole.run.suite)[: len(part.run.suite)] == list(part.run.suite)
    for before, after in zip(part.run.outcomes, whole.run.outcomes, strict=False):
        assert before == after or before in "-?" or (before, after) == ("F", "R")


def test_cut_off_at_any_byte(folder: Path) -> None:
    """A prefix of the journal tells a prefix of the run, or that it cannot be read."""
    made = written(folder)
    whole = recover(made.path)
    data = made.path.read_bytes()
    first = data.index(b"\n")
    cut = folder / "cut.jsonl"
    for size in range(len(data)):
        cut.write_bytes(data[:size])
        if size < first:
            with pytest.raises(JournalError):
                recover(cut)
        else:
            part = recover(cut)
            assert part.damaged <= 1
            _prefix(whole, part)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["suite", "x", "execution", "end", "head", "order", "verdicts", "seen"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
hostile_lines = st.lists(
    st.binary(max_size=30) | json_values.map(lambda value: json.dumps(value).encode()), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=hostile_lines, good=st.booleans())
@example(lines=[b"[false,false]"], good=True)
@example(lines=[b"[0,1]", b"[-1,1,1,1]"], good=True)
def test_hostile_lines(folder: Path, lines: list[bytes], good: bool) -> None:
    """Nothing but a JournalError comes of them, and the run found is one that fits together."""
    start = b""
    if good:
        path = written(folder, end=False).path
        start = path.read_bytes()
        path.unlink()
    hostile = folder / "hostile.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    hostile.write_bytes(start + b"\n".join(lines))
    try:
        found = recover(hostile)
    except JournalError:
        return
    run = found.run
    assert len(run.suite) == len(run.outcomes)
    assert len(run.durations) == 3 * len(run.suite)


def _changed(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda line: line.__setitem__(key, value)


@pytest.mark.parametrize(
    "change",
    [
        _changed("flakefighters", 2),
        _changed("head", None),
        _changed("head", {"id": 7}),
        _changed("project", []),
        _changed("environment", {"id": "e", "key": "k", "settings": 3, "distributions": {}}),
        _changed("state", "x"),
    ],
)
def test_hostile_first_line(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    made = written(folder, end=False)
    first, *rest = made.path.read_bytes().splitlines(keepends=True)
    line = json.loads(first)
    change(line)
    made.path.write_bytes(json.dumps(line).encode() + b"\n" + b"".join(rest))
    with pytest.raises(JournalError, match=RUN):
        recover(made.path)


def test_a_link_is_not_followed(folder: Path) -> None:
    made = written(folder)
    link = folder / "link.jsonl"
    link.symlink_to(made.path)
    with pytest.raises(JournalError):
        recover(link)


def test_no_descriptor_is_left_open(folder: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    written(folder)
    assert len(list(descriptors.iterdir())) == before


def test_trouble_is_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = written(folder, end=False)

    def full(*args: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(real, "write", full)
    made.started(3)
    made.flush()
    assert made.trouble is not None
    assert "No space left on device" in made.trouble
    size = made.path.stat().st_size
    made.started(3)
    made.flush()
    assert made.path.stat().st_size == size


def test_a_short_write_is_completed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Journal(folder, RUN)
    monkeypatch.setattr(
        real, "write", lambda descriptor, data: os.write(descriptor, bytes(data)[:7])
    )
    made.begin(HEAD, Project(identity="x", label="x"), None, None, "local")
    made.suite(SUITE)
    made.flush()
    assert list(recover(made.path).run.suite) == SUITE


def test_the_cap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAP", 2_000)
    made = written(folder)
    made.suite(["x" * 3_000])
    made.flush()
    assert made.trouble is not None
    assert made.path.stat().st_size <= 2_000


def test_a_forked_child_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = written(folder, end=False)
    size = made.path.stat().st_size
    monkeypatch.setattr(real, "getpid", lambda: -1)
    made.started(2)
    made.flush()
    assert made.path.stat().st_size == size


def _rewrite(path: Path, **facts: Any) -> None:
    first, *rest = path.read_bytes().splitlines(keepends=True)
    line = {**json.loads(first), **facts}
    path.write_bytes(json.dumps(line).encode() + b"\n" + b"".join(rest))


def test_whether_its_process_lives(folder: Path) -> None:
    path = written(folder).path
    now = path.stat().st_mtime

    def alive(at: float = now, **facts: Any) -> bool:
        _rewrite(path, **facts)
        os.utime(path, (now, now))
        return lives(heading(path), path, at)

    assert alive(), "this process lives"
    # In a container every process may have the same id: it started at another time.
    if Path("/proc/self/stat").exists():
        assert not alive(since="1")
    assert not alive(pid=2**22 + 1)
    alive(pid=2**70)
    assert alive(pid=os.getppid(), since=None)
    # On another machine nobody can tell, but for the time.
    elsewhere = {"pid": 2**22 + 1, "host": socket.gethostname() + "x"}
    assert alive(now + 60, **elsewhere)
    assert not alive(now + 4000, **elsewhere)
