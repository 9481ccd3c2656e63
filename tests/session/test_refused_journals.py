"""What lies among the journals and is none of ours: told once, moved away, never in the way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flakefighters.history import open_history
from flakefighters.model import Target
from flakefighters.session import places
from flakefighters.session.places import Spool
from flakefighters.session.spool import ASIDE, deliver_leftovers, look_into, read_back, waiting
from tests.requirements import lack
from tests.session.test_spool import wait

HUGE = 1 << 70


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(backend="sqlite", path=tmp_path / "a.db", display="a.db")


def deliver(target: Target, *spools: Spool) -> tuple[int, list[str]]:
    with open_history(target) as history:
        return deliver_leftovers(history, spools, to="local", seconds=60)


def edited(path: Path, number: int, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change one line of a journal; -1 is its end."""
    lines = path.read_bytes().splitlines()
    line = json.loads(lines[number])
    edit(line)
    lines[number] = json.dumps(line).encode()
    path.write_bytes(b"\n".join(lines) + b"\n")


def added(line: bytes) -> Callable[[Path], None]:
    def add(path: Path) -> None:
        path.write_bytes(path.read_bytes() + line + b"\n")

    return add


def first(line: bytes) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        path.write_bytes(line)

    return put


def head(**facts: Any) -> Callable[[Path], None]:
    return lambda path: edited(path, -1, lambda line: line["head"].update(facts))


def end(**facts: Any) -> Callable[[Path], None]:
    return lambda path: edited(path, -1, lambda line: line.update(facts))


def instead(make: Callable[[str], object]) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        path.unlink()
        make(str(path))

    return put


def a_socket(name: str) -> None:
    folder = os.open(os.path.dirname(name), os.O_RDONLY)  # noqa: PTH120
    here = os.open(".", os.O_RDONLY)
    os.fchdir(folder)  # a socket's name must be short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.path.basename(name))  # noqa: PTH119
    finally:
        os.fchdir(here)
        os.close(here)
        os.close(folder)


def a_verdict(run: str) -> dict[str, Any]:
    words = {"label": "flaky", "fighter": "joint", "confidence": "proved", "reason": "x"}
    return {**words, "version": 1, "run": run, "nodeid": "a.py::a"}


def execution(**facts: Any) -> bytes:
    one = {"nodeid": "a.py::a", "attempt": 1, "outcome": "F", **facts}
    return json.dumps({"x": [0, 1, 1, 1], "execution": one}).encode()


DEEP = b"[" * 200_000
NESTED: Any = 1
for _ in range(100):
    NESTED = [NESTED]

KINDS: dict[str, Callable[[Path], None]] = {
    "folder": instead(os.mkdir),
    "link": instead(lambda name: Path(name).symlink_to("/etc/passwd")),
    "link to nowhere": instead(lambda name: Path(name).symlink_to("nowhere")),
    "empty": first(b""),
    "first line is no JSON": first(b"hello\nworld\n"),
    "first line is no UTF-8": first(b"\xff\xfe\n"),
    "first line is a list": first(b"[1]\n"),
    "first line is deep": first(DEEP),
    "first line is endless": first(b" " * 17_000_000),
    "first line is of no version": first(b'{"flakefighters": true}\n'),
    "version 0": lambda path: edited(path, 0, lambda line: line.update(flakefighters=0)),
    "address": lambda path: edited(path, 0, lambda line: line.update(address=["local"])),
    "head of another kind": lambda path: edited(path, -1, lambda line: line.update(head=[1])),
    "deep line": added(DEEP),
    "deep value": end(seen={"a": NESTED}),
    "huge number of digits": added(b"[0,1,1," + b"9" * 5000 + b"]"),
    "infinite number": added(b"[0,1,1,Infinity]"),
    "huge duration": added(f"[0,1,1,{HUGE}]".encode()),
    "negative duration": added(b"[0,1,1,-1]"),
    "float": added(b"[0,1,1,0.5]"),
    "text for a number": added(b'[0,1,1,"1"]'),
    "negative position": added(b"[-1]"),
    "four durations": added(b"[0,1,1,1,1]"),
    "no line": added(b"5"),
    "suite of numbers": added(b'{"suite":[1]}'),
    "huge start": head(started=HUGE),
    "start in text": head(started="now"),
    "path for an id": head(id="../../../home/victim"),
    "short id": head(id="abc"),
    "commit": head(commit="--upload-pack=evil"),
    "completeness": head(completeness="whole"),
    "attempt": added(execution(attempt=1 << 40)),
    "outcome": added(execution(outcome="!")),
    "text over a megabyte": added(execution(reason="x" * 2_000_000)),
    "state": end(state={"id": "abc", "tree": "1" * 40}),
    "environment": end(
        environment={"id": "e", "key": "k", "settings": {}, "distributions": {}},
    ),
    "order": end(order=[[7]]),
    "order of no lists": end(order=[7]),
    "verdict on another run": end(verdicts=[a_verdict("0" * 32)]),
    "verdicts of numbers": end(verdicts=[1]),
}
if os.name == "posix":
    KINDS["pipe"] = instead(os.mkfifo)
    KINDS["socket"] = instead(a_socket)


@pytest.mark.parametrize("kind", KINDS)
def test_set_aside_and_said_once(folder: Path, target: Target, kind: str) -> None:
    bad = wait(folder, started=1)
    honest = wait(folder, started=2)
    KINDS[kind](bad)
    saved, notes = deliver(target, Spool(folder))
    assert saved == 1
    (note,) = notes
    assert bad.name in note
    assert ASIDE in note
    assert "\n" not in note
    assert [path.name for path in folder.iterdir()] == [ASIDE]
    assert [path.name for path in (folder / ASIDE).iterdir()] == [bad.name]
    assert not honest.exists()
    assert deliver(target, Spool(folder)) == (0, [])


def test_too_large(folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    from flakefighters.capture import recovery

    wait(folder)
    monkeypatch.setattr(recovery, "CAP", 100)
    saved, (note,) = deliver(target, Spool(folder))
    assert saved == 0
    assert "more than any run writes" in note


def test_many_values(folder: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte of JSON can cost dozens in memory."""
    from flakefighters.capture import recovery

    added(b"[" + b"[]," * 2000 + b"[]]")(wait(folder))
    monkeypatch.setattr(recovery, "_VALUES", 1000)
    saved, (note,) = deliver(target, Spool(folder))
    assert saved == 0
    assert "over 1,000 values" in note


def test_equal_names_do_not_write_over_each_other(folder: Path, target: Target) -> None:
    for text in (b"1", b"2", b"3"):
        folder.mkdir(exist_ok=True)
        (folder / "a.jsonl").write_bytes(text)
        deliver(target, Spool(folder))
    assert {path.read_bytes() for path in (folder / ASIDE).iterdir()} == {b"1", b"2", b"3"}


def test_what_another_user_wrote(folder: Path, target: Target) -> None:
    """Nothing of somebody else is believed, unless the project is his."""
    if os.name != "posix" or os.getuid() != 0:
        lack("the right to give files away")
    path = wait(folder)
    os.chown(path, 65534, -1)
    mine = frozenset({0})
    assert waiting([Spool(folder, mine | {65534})]) == {"local": 1}
    saved, (note,) = deliver(target, Spool(folder, mine))
    assert saved == 0
    assert "another user (uid 65534)" in note
    assert (folder / ASIDE / path.name).exists()
    assert deliver(target, Spool(folder, mine)) == (0, [])


def test_a_later_version_keeps_its_journals(folder: Path, target: Target) -> None:
    path = wait(folder)
    edited(path, 0, lambda line: line.update(flakefighters=2))
    saved, (note,) = deliver(target, Spool(folder))
    assert saved == 0
    assert "later version" in note
    assert path.exists()
    assert deliver(target, Spool(folder)) == (0, []), "said once"


def test_what_git_tracks_is_left_alone_and_said_once(folder: Path, target: Target) -> None:
    path = wait(folder)
    for words in (["init", "-q"], ["add", "-f", "."]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    before = path.read_bytes()
    saved, (note,) = deliver(target, Spool(folder))
    assert saved == 0
    assert "tracked by git" in note
    assert path.read_bytes() == before
    assert deliver(target, Spool(folder)) == (0, [])
    assert waiting([Spool(folder)]) == {}


def test_where_no_file_can_be_moved(
    folder: Path, tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passed over, and said once if that can be remembered in any place."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"no journal\n")
    folder.chmod(0o555)
    spools = (Spool(folder), Spool(tmp_path / "mine" / "flakefighters" / "spool"))
    saved, (note,) = deliver(target, *spools)
    assert (saved, "a.jsonl" in note) == (0, True)
    assert deliver(target, *spools) == (0, [])
    assert (folder / "a.jsonl").exists()
    folder.chmod(0o755)


def test_a_link_for_the_folder_moves_nothing_elsewhere(folder: Path, target: Target) -> None:
    folder.mkdir()
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (folder / ASIDE).symlink_to(elsewhere)
    (folder / "a.jsonl").write_bytes(b"no journal\n")
    _, (note,) = deliver(target, Spool(folder))
    assert "a.jsonl" in note
    assert list(elsewhere.iterdir()) == []


def test_an_honest_journal_stands_all_checks(folder: Path) -> None:
    assert read_back(wait(folder)).run.outcomes == "."
    assert look_into(Spool(folder)).refused == []


def test_a_test_that_was_run_and_not_collected_is_no_damage(folder: Path, target: Target) -> None:
    path = wait(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], b"[7]\n", b"[7,1,1,1]\n", lines[-1]]))
    assert deliver(target, Spool(folder)) == (1, [])


# -- places ----------------------------------------------------------------------------------


@pytest.fixture
def anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("home", "tmp", "shop"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path / "shop"


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written there, whoever we are."""
    real = os.access

    def access(path: Any, mode: int, **more: Any) -> bool:
        inside = Path(path) == folder or folder in Path(path).parents
        return not (inside and mode & os.W_OK) and real(path, mode, **more)

    monkeypatch.setattr(os, "access", access)


def test_places_from_best_to_last(anchor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.spool_folder(anchor) == anchor / ".flakefighters" / "spool"
    close(anchor, monkeypatch)
    state = places.spool_folder(anchor)
    assert state.is_relative_to(anchor.parent / "home" / ".local" / "state" / "flakefighters")
    close(anchor.parent / "home", monkeypatch)
    temporary = places.spool_folder(anchor)
    assert temporary.is_relative_to(anchor.parent / "tmp")
    assert [spool.path for spool in places.spools(anchor)] == [
        anchor / ".flakefighters" / "spool",
        state,
        temporary,
    ]


@pytest.mark.parametrize("home", ["", "relative", "/nowhere/at/all"])
def test_a_home_that_is_none(anchor: Path, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", home)
    close(anchor, monkeypatch)
    folder = places.spool_folder(anchor)
    assert folder.is_absolute()
    assert not folder.is_relative_to(Path.cwd())


def test_nobody_knows_the_home(anchor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container whose user has no entry anywhere."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    close(anchor, monkeypatch)
    assert places.spool_folder(anchor).is_relative_to(anchor.parent / "tmp")


@pytest.mark.parametrize("part", [".flakefighters", ".flakefighters/spool"])
def test_a_link_is_no_place(anchor: Path, part: str) -> None:
    """It may come with a commit, and lead anywhere."""
    (anchor / "data" / "spool").mkdir(parents=True)
    (anchor / part).parent.mkdir(exist_ok=True)
    (anchor / part).symlink_to(anchor / "data")
    assert all(not spool.path.is_relative_to(anchor) for spool in places.spools(anchor))
    assert not places.spool_folder(anchor).is_relative_to(anchor)


@pytest.mark.parametrize("part", [".flakefighters", ".flakefighters/spool"])
def test_a_file_is_no_place(anchor: Path, part: str) -> None:
    (anchor / part).parent.mkdir(exist_ok=True)
    (anchor / part).write_text("")
    assert not places.spool_folder(anchor).is_relative_to(anchor)


def test_a_folder_of_another_user_is_no_place(anchor: Path) -> None:
    if os.name != "posix" or os.getuid() != 0:
        lack("the right to give files away")
    (anchor / ".flakefighters" / "spool").mkdir(parents=True)
    os.chown(anchor / ".flakefighters", 65534, -1)
    assert not places.spool_folder(anchor).is_relative_to(anchor)
    os.chown(anchor, 65534, -1)  # he owns the project as well, and so the tests
    assert places.spool_folder(anchor).is_relative_to(anchor)


def test_a_temporary_folder_that_others_can_enter_is_no_place(
    anchor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name != "posix":
        lack("file rights")
    folder = anchor.parent / "tmp" / f"flakefighters-{os.geteuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert all(not spool.path.is_relative_to(folder) for spool in places.spools(anchor))
