"""A project in a temporary folder, and real pytest runs in it.

Plugins are loaded by name, so that each run has exactly those that its test asks for and starts
quickly; ``installed=True`` leaves it to pytest to find all that are installed.  tests/warm.py says
how runs are started.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flakefighters
from flakefighters.history import History, open_history
from flakefighters.model import Execution, Outcome, Run, Target
from tests import warm

__all__ = ["Ended", "Project", "code", "ours", "outcomes"]

_ROOT = Path(flakefighters.__file__).resolve().parent.parent
_KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")
_LABEL = re.compile(r"^(FLAKY|GENUINE|UNDECIDED) (.*)$", re.MULTILINE)
_TIME = re.compile(r"\d+\.\d\ds\b")
_OURS = re.compile(
    r"(flakefighters: |(FLAKY|GENUINE|UNDECIDED) |[0-9a-z, ]+; (run \w+ (not )?|nothing )saved)"
)
_WARNING = "flakefighters: warning: "
#: What only an interpreter of its own can be given.
_COLD = frozenset({"python", "before", "preexec_fn"})


def code(text: str) -> str:
    """Source text without the indentation of the place where it is quoted."""
    return textwrap.dedent(text).lstrip("\n")


def ours(text: str) -> tuple[list[str], str]:
    """The lines of flakefighters in pytest's output, and the output without them."""
    mine: list[str] = []
    others: list[str] = []
    section = False
    for line in text.splitlines(keepends=True):
        bare = re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip("\n")
        if re.fullmatch(r"=+ flakefighters =+", bare):
            section = True
        if section or _OURS.match(bare):
            mine.append(bare)
        else:
            others.append(line)
        if re.search(r"(run \w+ (not )?saved to|nothing saved)", bare):
            section = False
    return mine, "".join(others)


@dataclass(frozen=True, slots=True)
class Ended:
    """What one pytest run said."""

    code: int
    out: str
    err: str

    @property
    def ours(self) -> list[str]:
        """The lines of flakefighters."""
        return ours(self.out)[0]

    @property
    def others(self) -> str:
        """All that pytest printed of itself, without times."""
        text = _TIME.sub("N.NNs", ours(self.out)[1])
        return re.sub(r"={4,}", "====", text)

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """(label, "node id - reason") of each verdict line."""
        return _LABEL.findall(self.out)

    @property
    def closing(self) -> str:
        """The line that says what became of the run."""
        return self.ours[-1] if self.ours else ""

    @property
    def warnings(self) -> list[str]:
        """Our warnings, wherever they were printed."""
        lines = [*self.out.splitlines(), *self.err.splitlines()]
        return [line.removeprefix(_WARNING) for line in lines if line.startswith(_WARNING)]


def outcomes(run: Run) -> dict[str, Outcome]:
    """Node id to outcome."""
    return {nodeid: Outcome(letter) for nodeid, letter in zip(run.suite, run.outcomes, strict=True)}


class Project:
    """A project; ``root`` is pytest's folder, ``top`` the repository's (the same by default)."""

    def __init__(self, folder: Path):
        self.root = folder / "project"
        self.top = self.root
        self.home = folder / "home"
        self.env: dict[str, str] = {}
        #: False: each run imports all of flakefighters itself.
        self.ready = True
        self.root.mkdir(parents=True)
        self.home.mkdir()

    # -- files -------------------------------------------------------------------------------

    def write(self, files: Mapping[str, str | bytes], root: Path | None = None) -> None:
        """Write files; paths are relative to the root."""
        for name, content in files.items():
            path = (root or self.root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = code(content).encode()
            path.write_bytes(content)

    def test(self, text: str) -> None:
        """Write ``test_it.py``."""
        self.write({"test_it.py": text})

    def files(self) -> list[str]:
        """What is in the root, without git's folder and bytecode."""
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file() and ".git/" not in path.as_posix() and path.suffix != ".pyc"
        )

    @property
    def spool(self) -> list[Path]:
        """Journals of runs that are not in a history."""
        return sorted((self.root / ".flakefighters" / "spool").glob("*.jsonl"))

    @property
    def database(self) -> Path:
        """The history's file."""
        return self.root / "flakefighters.db"

    # -- git ---------------------------------------------------------------------------------

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git, and return what it printed."""
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *args],
            cwd=cwd or self.top,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr!r}"
        return done.stdout.decode("utf-8", "replace").strip()

    def init(self, top: Path | None = None) -> None:
        """Make ``top`` (the root) a repository."""
        self.top = top or self.root
        self.git("init", "-q", "-b", "main")
        ignored = "__pycache__/\n.pytest_cache/\nflakefighters.db*\n.flakefighters/\n"
        (self.top / ".git" / "info").mkdir(exist_ok=True)
        (self.top / ".git" / "info" / "exclude").write_text(ignored)

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> str:
        """Write files and commit all there is; return the commit's id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work")
        return self.git("rev-parse", "HEAD")

    # -- pytest ------------------------------------------------------------------------------

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """No CI, no surrounding test, no developer."""
        out = {name: os.environ[name] for name in _KEPT if name in os.environ}
        for role in ("AUTHOR", "COMMITTER"):
            out[f"GIT_{role}_NAME"], out[f"GIT_{role}_EMAIL"] = "Ada", "ada@example.org"
        out |= {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "80",
        }
        if not _is_installed():
            out["PYTHONPATH"] = str(_ROOT)
        return {**out, **self.env, **(extra or {})}

    def arguments(
        self,
        *args: str,
        plugins: Sequence[str] = (),
        on: bool = True,
        installed: bool = False,
    ) -> list[str]:
        """The words after ``pytest``."""
        loaded = [*(["flakefighters.plugin"] if on and not installed else []), *plugins]
        return [*(part for name in loaded for part in ("-p", name)), *args]

    def variables(self, env: Mapping[str, str] | None, *, installed: bool) -> dict[str, str]:
        """The environment of a run."""
        alone = {} if installed else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return alone | self.environment(env)

    def start(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        python: Sequence[str] = (),
        before: Sequence[str] = (),
        preexec_fn: Callable[[], None] | None = None,
        **how: Any,
    ) -> subprocess.Popen[bytes]:
        """Start pytest and do not wait for it; ``before`` are words in front of the command."""
        return subprocess.Popen(
            [*before, sys.executable, *python, "-m", "pytest", *self.arguments(*args, **how)],
            cwd=cwd or self.root,
            env=self.variables(env, installed=how.get("installed", False)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=preexec_fn,
        )

    def pytest(
        self,
        *args: str,
        expect: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        **how: Any,
    ) -> Ended:
        """Run pytest; ``expect`` is the exit code that it must have.  ``how``: as for start."""
        if not _COLD.isdisjoint(how):
            return self.finish(self.start(*args, env=env, cwd=cwd, **how), expect=expect)
        done = warm.run(
            self.arguments(*args, **how),
            cwd=cwd or self.root,
            env=self.variables(env, installed=how.get("installed", False)),
            # pytest warns of plugins that were imported before it could look at them.
            ready=self.ready and not how.get("installed", False),
        )
        return _ended(done.returncode, done.stdout, done.stderr, expect)

    def finish(self, process: subprocess.Popen[bytes], expect: int | None = None) -> Ended:
        """Wait for a run that was started."""
        try:
            out, err = process.communicate(timeout=100)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return _ended(process.returncode, out, err, expect)

    def flakefighters(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; from flakefighters.cli import main; sys.exit(main())",
                *args,
            ],
            cwd=self.root,
            env=self.variables(None, installed=False),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=100,
        )

    # -- the history -------------------------------------------------------------------------

    @contextmanager
    def history(self, path: Path | None = None) -> Iterator[History]:
        """The history, opened for reading."""
        target = Target(backend="sqlite", path=path or self.database, read_only=True)
        with open_history(target, create=False) as history:
            yield history

    def runs(self, path: Path | None = None) -> list[Run]:
        """All runs, newest first."""
        if not (path or self.database).exists():
            return []
        with self.history(path) as history:
            return [history.load(id_) for id_ in sorted(history.run_ids(), reverse=True)]

    def run(self) -> Run:
        """The newest run."""
        return self.runs()[0]

    def outcomes(self) -> dict[str, Outcome]:
        """Outcomes of the newest run by node id."""
        return outcomes(self.run())

    def attempts(self, nodeid: str) -> list[Execution]:
        """The executions of a test in the newest run."""
        return [one for one in self.run().executions if one.nodeid == nodeid]


def _ended(code: int, out: bytes, err: bytes, expect: int | None) -> Ended:
    ended = Ended(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    if expect is not None:
        assert ended.code == expect, f"exit code {ended.code}\n{ended.out}\n{ended.err}"
    return ended


def _is_installed() -> bool:
    found = importlib.metadata.entry_points(group="pytest11")
    return any(one.name == "flakefighters" for one in found)
