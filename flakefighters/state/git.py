"""Asking git: with a deadline, without prompts, and without believing it blindly."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from flakefighters.originals import real
from flakefighters.records import NamedTuple

__all__ = ["Answer", "Git", "find_top", "is_commit"]

_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

_OPTIONS: Final = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotepath=off",
    # A partial clone would fetch what it lacks from the network in the middle of a test run.
    "-c",
    "protocol.allow=never",
)
_SETTINGS: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
# What a hook of git (and nothing else) hands to its children.  pytest may run in one, on another
# repository or on an index that is not the work tree's: git shall look for itself.
_OF_HOOKS: Final = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_REASONS: Final = (
    ("dubious ownership", "git refuses a folder that belongs to another user (safe.directory)"),
    ("unsafe repository", "git refuses a folder that belongs to another user (safe.directory)"),
    ("not a git repository", "not a git repository"),
    ("must be run in a work tree", "not a git work tree"),
)


def is_commit(text: str | None) -> bool:
    """True for a whole object id as git writes it."""
    return text is not None and _COMMIT.fullmatch(text) is not None


def find_top(folder: Path) -> Path | None:
    """The work tree around ``folder``: where a ``.git`` lies; None if there is none."""
    for place in (folder, *folder.parents):
        dot = place / ".git"
        try:
            if (dot / "HEAD").is_file() or (dot.is_file() and dot.stat().st_size < 1 << 16):
                return place
        except (OSError, ValueError):
            return None
    return None


class Answer(NamedTuple):
    """What one call of git gave; ``reason`` is one line, None if all went well."""

    output: bytes = b""
    reason: str | None = None


class Git:
    """Runs git in ``folder``; every call is killed after ``limit`` seconds."""

    def __init__(self, folder: Path, limit: float = 5.0, environ: Mapping[str, str] | None = None):
        self.folder = folder
        self.limit = limit
        variables = dict(os.environ if environ is None else environ)
        self._program = _program(variables.get("PATH", os.defpath))
        self._environ = _environment(variables, folder)

    def at(self, folder: Path, limit: float | None = None) -> Git:
        """The same for another folder (a submodule), or with another limit."""
        return Git(folder, self.limit if limit is None else limit, self._environ)

    def ask(self, *arguments: str, stdin: bytes | None = None) -> Answer:
        """Run one command.  What git does is in the answer, never an exception."""
        until = real.monotonic() + self.limit
        return self._finish(self._start(arguments, stdin), stdin, until)

    def ask_together(self, *commands: Sequence[str]) -> list[Answer]:
        """Run several commands side by side, within one limit."""
        until = real.monotonic() + self.limit
        started: list[subprocess.Popen[bytes] | Answer] = []
        answers: list[Answer] = []
        try:
            started.extend(self._start(command, None) for command in commands)
            # One by one: what is not finished when Ctrl-C comes is killed below.
            answers.extend(self._finish(child, None, until) for child in started)
        finally:
            for child in started[len(answers) :]:
                if not isinstance(child, Answer):
                    self._kill(child)
        return answers

    def _start(
        self, arguments: Sequence[str], stdin: bytes | None
    ) -> subprocess.Popen[bytes] | Answer:
        if self._program is None:
            return Answer(reason="git is not installed")
        try:
            return real.Popen(
                [self._program, *_OPTIONS, *arguments],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A group of its own: Ctrl-C is for pytest, and filters die with their git.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return Answer(reason=f"git could not be started: {type(error).__name__}")

    def _finish(
        self, child: subprocess.Popen[bytes] | Answer, stdin: bytes | None, until: float
    ) -> Answer:
        if isinstance(child, Answer):
            return child
        try:
            output, talk = child.communicate(stdin, timeout=max(0.01, until - real.monotonic()))
        except subprocess.TimeoutExpired:
            self._kill(child)
            return Answer(reason=f"git did not answer within {self.limit:g} s")
        except (OSError, ValueError) as error:
            self._kill(child)
            return Answer(reason=f"git could not be read: {type(error).__name__}")
        except BaseException:  # Ctrl-C: no child may stay behind
            self._kill(child)
            raise
        return Answer(output=output, reason=_reason(child.returncode, talk))

    def _kill(self, child: subprocess.Popen[bytes]) -> None:
        if child.returncode is not None:
            return  # its number may be another process's by now
        try:
            if real.killpg is not None:
                real.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        except OSError:
            pass  # it has ended by itself
        try:
            child.communicate(timeout=1)
        except (OSError, ValueError, subprocess.SubprocessError):
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()


def _reason(code: int, talk: bytes) -> str | None:
    if code == 0:
        return None
    text = talk.decode("utf-8", "replace")
    for sign, reason in _REASONS:
        if sign in text:
            return reason
    first = text.strip().partition("\n")[0]
    return f"git failed ({code}): {first[:200]}" if first else f"git failed ({code})"


def _program(path: str) -> str | None:
    """git on the search path; never one that lies in the current folder."""
    name = "git.exe" if sys.platform == "win32" else "git"
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, name)  # noqa: PTH118
        if os.path.isabs(folder) and os.access(candidate, os.X_OK):  # noqa: PTH117
            return candidate
    return None


def _environment(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables for git's children, freed of what a hook left in them."""
    result = {
        name: value
        for name, value in variables.items()
        if name not in _OF_HOOKS and not name.startswith("GIT_TRACE")
    }
    result |= _SETTINGS
    # A repository apart from its work tree can be found through the variables only.
    git_dir, work_tree = variables.get("GIT_DIR"), variables.get("GIT_WORK_TREE")
    if (
        git_dir
        and work_tree
        and Path(git_dir).is_absolute()
        and folder.is_relative_to(work_tree)
        and find_top(folder) is None
    ):
        result |= {"GIT_DIR": git_dir, "GIT_WORK_TREE": work_tree}
    return result
