"""A real project's suite in a clone of its own: git, pytest, the history, coverage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.verdicts.setups import prepare

__all__ = ["Outcome", "Suite", "git", "trials_of"]

_PROBE = Path(__file__).resolve().parent / "probe"
_DATABASE = "flakefighters.db"
_LEAST_SECONDS = 30
_SAID = (
    "SELECT t.nodeid, v.fighter, v.label FROM verdict v JOIN test t ON t.id = v.test"
    " WHERE v.run = (SELECT id FROM run ORDER BY started DESC LIMIT 1) AND v.fighter <> 'joint'"
)
_MEMORY = 4 << 30  # a mutant may loop while it allocates


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the suite told."""

    outcomes: Mapping[str, str]
    verdicts: Sequence[Mapping[str, Any]]
    errors: Mapping[str, str]
    seconds: float
    #: What each flakefighter said of a test, by node id; the label furthest from genuine.
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def passed(self) -> set[str]:
        """Tests that passed in all phases."""
        return {nodeid for nodeid, outcome in self.outcomes.items() if outcome == "passed"}

    def failed(self) -> set[str]:
        """Tests and modules that failed."""
        return set(self.outcomes) - self.passed()

    def label(self, nodeid: str) -> Mapping[str, Any]:
        """The verdict on a test; where it failed more than once, the one furthest from genuine."""
        mine = [one for one in self.verdicts if one["nodeid"] == nodeid]
        return min(mine, key=lambda one: _LABELS.index(one["label"]), default=_NO_VERDICT)


_LABELS = ("flaky", "undecided", "genuine")
_NO_VERDICT: Mapping[str, Any] = {
    "label": "none",
    "confidence": "",
    "reason": "no verdict was given",
    "evidence": {},
}


def trials_of(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What reading alone had said, and what the trials took; nothing where there were none."""
    evidence = verdict["evidence"]
    trials = evidence.get("trials")
    if not trials:
        return {}
    return {
        "read": evidence["was"],
        "trials": len(trials) + evidence.get("more_trials", 0),
        "seconds": sum(one.get("took", 0) for one in trials) / 1000,
    }


@dataclass(slots=True)
class Suite:
    """A clone below ``work`` in which any commit can be checked out and run."""

    repository: Path
    work: Path
    python: str
    arguments: tuple[str, ...] = ()
    name: str = ""
    setup: str = "path"
    #: Put every failure on trial.
    confirm: bool = False
    #: Names of the flakefighters that are asked, with commas; all that need not be named if empty.
    fighters: str = ""
    place: Path = field(init=False)
    limit: float = 900.0

    def __post_init__(self) -> None:
        self.name = self.name or self.repository.resolve().name
        self.name += "" if self.setup == "path" else f"-{self.setup}"
        self.place = self.work / self.name
        if not self.place.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            source = str(self.repository.resolve())
            subprocess.run(["git", "clone", "-q", source, str(self.place)], check=True)

    # -- git and the history -----------------------------------------------------------------

    def resolve(self, commit: str) -> str:
        """The whole name of a commit, as the repository calls it, not the clone."""
        return git(self.repository, "rev-parse", f"{commit}^{{commit}}").strip()

    def check_out(self, commit: str) -> None:
        """Leave exactly this commit in the folder, and no history."""
        git(self.place, "checkout", "-q", "-f", "--detach", commit)
        git(self.place, "clean", "-q", "-f", "-d", "-x")

    def commit(self, message: str) -> None:
        """Commit all that differs."""
        git(self.place, "add", "-u")
        git(self.place, "commit", "-q", "--no-verify", "-m", message)

    def keep_history(self) -> Path | None:
        """Copy the history aside; None if there is none, where pytest was set up elsewhere."""
        if not (self.place / _DATABASE).exists():
            return None
        kept = self.work / f"{self.name}.history"
        shutil.copyfile(self.place / _DATABASE, kept)
        return kept

    def put_history(self, kept: Path) -> None:
        """Have this history alone."""
        for path in self.place.glob(f"{_DATABASE}*"):
            path.unlink()
        shutil.copyfile(kept, self.place / _DATABASE)

    def source_of(self, commit: str, path: str) -> str | None:
        """A file's text at a commit, None if there is none."""
        try:
            return git(self.place, "show", f"{commit}:{path}")
        except subprocess.CalledProcessError:
            return None

    # -- pytest ------------------------------------------------------------------------------

    def run(
        self,
        *,
        ours: bool,
        inject: Mapping[str, str] | None = None,
        world: Mapping[str, str] | None = None,
        more: Sequence[str] = (),
    ) -> Outcome | None:
        """Run the suite once; None if it did not come to an end.

        ``inject`` and ``world`` are for the probe, ``more`` are arguments of pytest.
        """
        switch = ["--flakefighters", *more] if ours else ["-p", "no:flakefighters"]
        if ours and self.fighters:
            switch.append(f"--flakefighters-fighters={self.fighters}")
        if ours and self.confirm:
            switch.append("--flakefighters-confirm=all")
        state = self.work / f"{self.name}.state"
        state.mkdir(exist_ok=True)
        (state / "day").write_text(str(time.time()))
        variables = {"VERDICTS_STATE": str(state)}
        for name, told in (("inject", inject), ("world", world)):
            if told:
                path = self.work / f"{self.name}.{name}.json"
                path.write_text(json.dumps(told), "utf-8")
                variables[f"VERDICTS_{name.upper()}"] = str(path)
        outcome = self._pytest(switch, variables)
        if outcome is None or not ours or not outcome.verdicts:
            return outcome
        return replace(outcome, said=self._said())

    def _said(self) -> dict[str, dict[str, str]]:
        """What was said of each test in the newest run of the history."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        with closing(sqlite3.connect(self.place / _DATABASE)) as connection:
            for nodeid, fighter, label in connection.execute(_SAID):
                before = found[nodeid].setdefault(fighter, label)
                found[nodeid][fighter] = min(before, label, key=_LABELS.index)
        return dict(found)

    def contexts(self) -> tuple[Outcome, dict[str, dict[int, set[str]]]] | None:
        """Run under coverage.py; path to line to the tests that ran it ("" for imports)."""
        data = self.work / f"{self.name}.coverage"
        data.unlink(missing_ok=True)
        config = self.work / f"{self.name}.coverage.ini"
        config.write_text(f"[run]\ndata_file = {data}\n", "utf-8")
        switch = [
            *("-p", "no:flakefighters", f"--cov={self.place}", "--cov-context=test"),
            *("--cov-report=", f"--cov-config={config}"),
        ]
        outcome = self._pytest(switch, {"COVERAGE_CORE": "ctrace"}, setup="path")
        if outcome is None or not data.exists():
            return None
        return outcome, self._read_contexts(data)

    def _read_contexts(self, data: Path) -> dict[str, dict[int, set[str]]]:
        code = (
            "import json, sys, coverage\n"
            "data = coverage.CoverageData(sys.argv[1]); data.read()\n"
            "print(json.dumps({f: list(data.contexts_by_lineno(f).items())"
            " for f in data.measured_files()}))"
        )
        done = subprocess.run(
            [self.python, "-c", code, str(data)], capture_output=True, text=True, check=True
        )
        base = self.place.resolve()
        found: dict[str, dict[int, set[str]]] = {}
        for name, pairs in json.loads(done.stdout).items():
            if not Path(name).is_relative_to(base):
                continue
            lines: dict[int, set[str]] = defaultdict(set)
            for line, contexts in pairs:
                lines[int(line)] |= {one.rpartition("|")[0] for one in contexts}
            found[Path(name).relative_to(base).as_posix()] = dict(lines)
        return found

    def _pytest(
        self, switch: Sequence[str], variables: Mapping[str, str], setup: str | None = None
    ) -> Outcome | None:
        out = self.work / f"{self.name}.out.json"
        out.unlink(missing_ok=True)
        ready = prepare(setup or self.setup, self.place, self.python, _PROBE)
        command = [
            *("prlimit", f"--as={_MEMORY}") * bool(shutil.which("prlimit")),
            *(*ready.command, "-q", "-p", "verdicts_probe", "-p", "no:randomly"),
            *switch,
            *self.arguments,
        ]
        begun = time.monotonic()
        with (self.work / f"{self.name}.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=ready.folder,
                env=_environ() | {"VERDICTS_OUT": str(out), **ready.variables, **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                process.wait(max(_LEAST_SECONDS, self.limit))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return None
        ready.finish(self.place)
        seconds = time.monotonic() - begun
        try:
            told = json.loads(out.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return Outcome(told["outcomes"], told["verdicts"], told["errors"], seconds)


def _environ() -> dict[str, str]:
    ours = ("PYTEST_", "FLAKEFIGHTERS", "COVERAGE", "COV_CORE")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and name not in ("CI", "GITHUB_ACTIONS", "PYTHONPATH")
    }
    # Without bytecode: two edits of one size in one second would run the older.
    more = {"FLAKEFIGHTERS_CONFIRM_SECONDS": "1200", "FLAKEFIGHTERS_CONFIRM_TESTS": "24"}
    return environ | {"PYTHONDONTWRITEBYTECODE": "1", **more}


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", *who, "-c", "core.quotePath=false", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
