"""Small real git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout


class Repo:
    """A work tree that git is told about."""

    def __init__(self, path: Path, *options: str, init: bool = True):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        if init:
            self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """``shop__tax="x"`` writes shop/tax.py."""
        for name, text in files.items():
            self.put(name.replace("__", "/") + ".py", text)

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, name: str, *options: str) -> Repo:
        target = self.path.parent / name
        url = self.path.as_uri()
        subprocess.run(["git", "clone", "-q", *options, url, target], check=True)
        return Repo(target, init=False)

    def read(self, inside: str = "") -> Checkout:
        return read(self.path / inside)

    def state_id(self) -> str:
        state = self.read().state
        assert state is not None
        return state.id


def read(folder: Path) -> Checkout:
    return Checkout.read(Anchor(path=folder))
