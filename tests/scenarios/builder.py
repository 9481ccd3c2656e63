"""Small git repositories built in code, and real pytest runs in them with the plugin on."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import flakefighters
from tests import warm

__all__ = ["BASE", "ON_CI", "Content", "Repository", "Result", "Swap", "code", "swap"]

_ROOT = Path(flakefighters.__file__).resolve().parent.parent
_LINE = re.compile(r"^(FLAKY|GENUINE|UNDECIDED) (.*)$", re.MULTILINE)
#: What a project's .gitignore leaves out anyway; here it is not part of the project.
_IGNORED = "__pycache__/\n.pytest_cache/\n.hypothesis/\nflakefighters.db*\n.flakefighters/\n"
#: Unset these, and the runs are on no CI, nested in nothing, and know no developer.
_KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Swap:
    """An edit of a file: ``old`` stands in it once, ``new`` takes its place."""

    old: str
    new: str


#: What to do with a file: write this, edit it, or (None) delete it.
Content: TypeAlias = str | bytes | Swap | None


def swap(old: str, new: str) -> Swap:
    """See :class:`Swap`."""
    return Swap(old, new)


def code(text: str) -> str:
    """Source text without the indentation of the place where it is quoted."""
    return textwrap.dedent(text).lstrip("\n")


#: Variables of a run in CI, with a history of this machine.
ON_CI: Mapping[str, str] = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "1",
    "GITHUB_JOB": "test",
    "FLAKEFIGHTERS_CI_PROFILE": "local",
}

#: A shop: a part that will change, one that fails while the file TROUBLE exists, one nobody needs.
BASE: Mapping[str, str] = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "shop/__init__.py": "",
    "shop/tax.py": code("""
        RATE = 20

        def tax(net):
            return net * RATE // 100

        def gross(net):
            return net + tax(net)
        """),
    "shop/net.py": code("""
        import os

        def fetch():
            if os.path.exists(os.environ.get("TROUBLE", "")):
                raise ConnectionError("connection reset by peer")
            return "ok"
        """),
    "shop/text.py": "def title(text):\n    return text.title()\n",
    "tests/test_tax.py": code("""
        from shop.tax import tax

        def test_tax():
            assert tax(100) == 20
        """),
    "tests/test_net.py": code("""
        from shop.net import fetch

        def test_net():
            assert fetch() == "ok"
        """),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one pytest run said."""

    exit_code: int
    #: Everything that it printed.
    text: str

    def verdict(self, nodeid: str) -> tuple[str | None, str]:
        """Label in lower case (None: no line about it) and reason; ``nodeid`` may be its end."""
        for label, rest in _LINE.findall(self.text):
            place = rest.find(f"{nodeid} - ")
            if place == 0 or (place > 0 and rest[place - 1] == "/"):
                return label.lower(), rest[place + len(nodeid) + 3 :]
        return None, ""


class Repository:
    """A project in a temporary folder.

    ``outside`` is a folder next to it, for what is no part of the project: counters, installed
    packages, clones.  ``env`` are variables for all runs, ``product`` is the folder on PYTHONPATH
    that holds the package which judges.
    """

    def __init__(self, folder: Path, *, git: bool = True, product: Path = _ROOT):
        self.product = product
        self.root = folder / "project"
        self.outside = folder / "outside"
        self._trouble = folder / "trouble"
        self.env: dict[str, str] = {}
        self.options: list[str] = []
        #: Entries before the product's on PYTHONPATH.
        self.paths: list[Path] = []
        self.has_git = git
        self.root.mkdir(parents=True)
        self.outside.mkdir(exist_ok=True)
        if git:
            self.init(self.root)

    # -- files -------------------------------------------------------------------------------

    def write(self, files: Mapping[str, Content]) -> None:
        """Write, edit or delete files; paths are relative to the root."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            if isinstance(content, Swap):
                text = path.read_text("utf-8")
                assert text.count(content.old) == 1, f"{content.old!r} is not once in {name}"
                content = text.replace(content.old, content.new)
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = content.encode()
            path.write_bytes(content)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a piece of one file."""
        self.write({name: Swap(old, new)})

    def site(self, name: str, version: str, modules: Mapping[str, str]) -> None:
        """Install a distribution into a folder of its own on PYTHONPATH, or another version."""
        folder = self.outside / "site"
        if folder not in self.paths:
            self.paths.append(folder)
        for old in folder.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        for module, text in modules.items():
            (folder / module).parent.mkdir(parents=True, exist_ok=True)
            (folder / module).write_text(text)
        (info / "RECORD").write_text("".join(f"{module},,\n" for module in modules))
        (info / "top_level.txt").write_text("".join(f"{Path(m).stem}\n" for m in modules))

    # -- git ---------------------------------------------------------------------------------

    def init(self, folder: Path) -> None:
        """A new repository in ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", cwd=folder)
        (folder / ".git" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "info" / "exclude").write_text(_IGNORED)

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git, and return what it printed."""
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *args],
            cwd=cwd or self.root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, Content] | None = None, *args: str) -> str:
        """Write files and commit all there is; return the commit's id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work", *args)
        return self.git("rev-parse", "HEAD")

    def save(self, files: Mapping[str, Content] | None = None) -> None:
        """Commit, or without git just write."""
        if self.has_git:
            self.commit(files)
        else:
            self.write(files or {})

    def start(self, files: Mapping[str, Content] | None = None) -> None:
        """The shop with these files on top, saved, and one run that passes."""
        self.save({**BASE, **(files or {})})
        self.passes()

    # -- pytest ------------------------------------------------------------------------------

    def run(
        self,
        *args: str,
        trouble: bool = False,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """One pytest run; ``trouble`` makes what is shaky fail."""
        variables = self._environment()
        variables.update(env or {})
        self._trouble.unlink(missing_ok=True)
        if trouble:
            self._trouble.touch()
        words = ["-p", "flakefighters.plugin", "--color=no", *self.options, *args]
        done = warm.run(
            words,
            cwd=cwd or self.root,
            env=variables,
            merged=True,
            ready=self.product == _ROOT,
        )
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"))

    def command(self, *args: str) -> str:
        """Run the command ``flakefighters``; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flakefighters", *args],
            cwd=self.root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def passes(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """A run in which every test passes."""
        result = self.run(*args, cwd=cwd, env=env)
        assert result.exit_code == 0, result.text

    def fails(self, *args: str, trouble: bool = False) -> Result:
        """A run in which some test fails, on the way to the one that is judged."""
        result = self.run(*args, trouble=trouble)
        assert result.exit_code in {1, 2}, result.text
        return result

    def confidence(self, reason: str) -> str | None:
        """How sure the history is of the verdict with this reason; None if it is not there."""
        path = self.root / "flakefighters.db"
        if not path.exists():
            return None
        with closing(sqlite3.connect(path)) as connection:
            row = connection.execute(
                "SELECT confidence FROM verdict WHERE fighter = 'joint' AND reason = ?"
                " ORDER BY at DESC LIMIT 1",
                (reason,),
            ).fetchone()
        return None if row is None else str(row[0])

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
        }
        paths = [*map(str, self.paths), str(self.product)]
        return {
            **kept,
            **who,
            "HOME": str(self.outside),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "FLAKEFIGHTERS": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            # An edit within the same second and of the same length must not meet stale bytecode.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(paths),
            "COUNTER": str(self.outside / "counter"),
            "TROUBLE": str(self._trouble),
            **self.env,
        }
