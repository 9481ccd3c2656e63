"""Run some tests in a fresh process, in the work tree or in a copy of a state."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flakefighters.capture import wire
from flakefighters.capture.nodeids import own_file
from flakefighters.environment.distributions import own_files
from flakefighters.model import Failure, Outcome
from flakefighters.records import record
from flakefighters.state.generated import version_stamp
from flakefighters.trials.copies import make_copy
from flakefighters.trials.moved import Moved
from flakefighters.trials.processes import run

if TYPE_CHECKING:
    from flakefighters.state.checkout import Checkout
    from flakefighters.trials.bench import Bench
    from flakefighters.trials.copies import Copy

__all__ = ["Lab", "Seen"]


@record
class Seen:
    """What one child showed."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failures: dict[str, tuple[Failure, ...]] = field(default_factory=dict)
    #: Files that could be collected.
    collected: frozenset[str] = frozenset()
    #: Files of all modules that were loaded, and those of the copy that git ignores.
    files: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    #: It died, and did not say how the tests ended.
    crashed: bool = False
    #: Why nothing can be told, None if something can.
    note: str | None = None


class Lab:
    """Runs the tests of one session again."""

    def __init__(self, bench: Bench, checkout: Checkout, tested: str | None = None):
        """``tested``: the tree that was tested, if it is not what is checked out."""
        self._bench, self._checkout, self._tested = bench, checkout, tested

    @cached_property
    def _installed(self) -> frozenset[tuple[str, str]]:
        """Folder and file of each file that is installed from the project, but not editable."""
        return frozenset(own_files(self._bench.own, self._bench.base, self._bench.path))

    def here(self, tests: Sequence[str], seconds: float) -> Seen:
        """Run tests in this order, where the session ran them."""
        if self._tested is not None:
            return self.elsewhere(tests, None, seconds)
        with _room() as room:
            return self._run(room, tests, Moved(self._bench), None, seconds)

    def elsewhere(self, tests: Sequence[str], tree: str | None, seconds: float) -> Seen:
        """The same in a copy of a tree; None stands for the state that was tested."""
        with _room() as room:
            copy = make_copy(self._checkout, tree or self._tested, room / "copy")
            if copy.reason is not None:
                return Seen(note=copy.reason)
            packages = {file.partition("/")[0] for _, file in self._installed}
            moved = Moved(self._bench, str(copy.folder), packages)
            return self._run(room, tests, moved, copy, seconds)

    def _run(
        self, room: Path, tests: Sequence[str], moved: Moved, copy: Copy | None, seconds: float
    ) -> Seen:
        wanted = {moved.name(one): one for one in tests}
        order, result = room / "order.json", room / "result.json"
        order.write_text(json.dumps(self._order(moved, list(wanted), room)), "utf-8")
        program = str(Path(__file__).parent / "child.py")
        command = [*self._bench.python, program, str(order), str(result)]
        code = run(command, moved.environ(), room / "output.txt", seconds)
        if not result.exists():
            crashed = code is not None and (code < 0 or code > 5)
            note = "it took too long" if code is None else f"pytest ended with exit code {code}"
            return Seen(crashed=crashed, note=None if crashed else note)
        seen = _read(json.loads(result.read_text("utf-8")), wanted)
        return seen if copy is None else self._checked(seen, moved, copy)

    def _order(self, moved: Moved, tests: Sequence[str], room: Path) -> Mapping[str, Any]:
        bench = self._bench
        rootdir = moved(bench.rootdir)
        files = dict.fromkeys(f"{rootdir}/{own_file(one)}" for one in tests)
        ini = None if bench.inipath is None else moved(bench.inipath)
        arguments = [
            *(moved(one) for one in bench.arguments),
            *("-o", "addopts=", "-o", f"cache_dir={room / 'cache'}"),
            *("--rootdir", rootdir, "--basetemp", str(room / "t"), "-q"),
            *(("-c", ini) if ini is not None and Path(ini).is_file() else ()),
            *files,
        ]
        return {
            "tests": list(tests),
            "arguments": arguments,
            "path": moved.path(),
            "moved": moved.pairs,
            "cwd": moved(bench.cwd),
            "base": moved(bench.base),
            "secret_env": bench.secret_env,
        }

    def _checked(self, seen: Seen, moved: Moved, copy: Copy) -> Seen:
        """What was seen, with the reason why the copy was no fit place to see it."""
        installed = {f"{folder}/{file}" for folder, file in self._installed}
        strangers = [one for one in seen.files if one in installed or moved.inside(one)]
        if strangers:
            seen.note = f"{strangers[0]} was loaded, and not the copy's"
        elif not copy.whole:
            seen.note = "git ignores more than a copy takes"
        folder = f"{copy.folder}{os.sep}"
        loaded = {one.removeprefix(folder) for one in seen.files if one.startswith(folder)}
        seen.ignored = tuple(sorted(one for one in loaded & copy.ignored if not version_stamp(one)))
        return seen


def _read(said: Mapping[str, Any], wanted: Mapping[str, str]) -> Seen:
    """What a child wrote down, under the history's names."""
    collected = frozenset(wanted.get(one, one) for one in said["collected"])
    seen = Seen(files=tuple(said["files"]), collected=collected)
    for nodeid, letter in said["outcomes"].items():
        seen.outcomes[wanted.get(nodeid, nodeid)] = Outcome(letter)
    for nodeid, failures in said["failures"].items():
        found = tuple(wire.load(Failure, one) for one in failures)
        seen.failures[wanted.get(nodeid, nodeid)] = found
    return seen


@contextmanager
def _room() -> Iterator[Path]:
    """A folder for one trial; short, as sockets of tests may lie in it."""
    room = Path(os.path.realpath(tempfile.mkdtemp(prefix="ff")))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
