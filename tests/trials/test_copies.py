"""A state of the project in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.trials.copies import Copy, make_copy
from tests.scenarios.builder import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path)
    found.write({"shop/tax.py": "RATE = 1\n", "data/rate.bin": b"\x00\x01", "run.sh": "echo\n"})
    (found.root / "run.sh").chmod(0o755)
    (found.root / "link.py").symlink_to("shop/tax.py")
    found.commit({".gitignore": "local.env\n*.so\n.venv/\nbuilt/\n"})
    return found


def copied(repository: Repository, folder: Path, commit: str | None = None) -> Copy:
    checkout = Checkout.read(Anchor(repository.root))
    tree = None if commit is None else checkout.tree_of(checkout.commit_of(commit) or "")
    return make_copy(checkout, tree, folder / "copy")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_earlier_commit_with_links_and_modes(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit({"shop/tax.py": "RATE = 2\n", "shop/new.py": "", "data/rate.bin": None})
    copy = copied(repository, tmp_path, first)
    assert copy.reason is None
    found = files(copy.folder)
    assert found["shop/tax.py"] == found["link.py"] == b"RATE = 1\n"
    assert found["data/rate.bin"] == b"\x00\x01"
    assert "shop/new.py" not in found
    assert os.access(copy.folder / "run.sh", os.X_OK)
    assert (copy.folder / "link.py").is_symlink()


def test_what_was_tested_with_edits_and_new_files(repository: Repository, tmp_path: Path) -> None:
    repository.write({"shop/tax.py": "RATE = 3\n", "shop/new.py": "NEW = 1\n", "run.sh": None})
    copy = copied(repository, tmp_path)
    assert copy.reason is None
    found = files(copy.folder)
    assert (found["shop/tax.py"], found["shop/new.py"]) == (b"RATE = 3\n", b"NEW = 1\n")
    assert "run.sh" not in found


def test_a_file_that_a_test_has_altered_since(repository: Repository, tmp_path: Path) -> None:
    checkout = Checkout.read(Anchor(repository.root))
    repository.write({"shop/tax.py": "RATE = 9\n"})
    copy = make_copy(checkout, None, tmp_path / "copy")
    assert files(copy.folder)["shop/tax.py"] == b"RATE = 1\n"


def test_what_git_ignores_comes_along(repository: Repository, tmp_path: Path) -> None:
    repository.write(
        {
            "local.env": "A=1\n",
            "shop/fast.so": b"\x7fELF",
            "built/table.py": "T = 1\n",
            ".venv/pyvenv.cfg": "",
            ".venv/lib/x.py": "",
            "built/env/pyvenv.cfg": "",
            "built/env/big.py": "",
            "__pycache__/x.pyc": b"",
            "flakefighters.db": b"",
        }
    )
    copy = copied(repository, tmp_path, "HEAD")
    assert copy.whole
    assert copy.ignored == {"local.env", "shop/fast.so", "built/table.py"}
    assert copy.ignored <= files(copy.folder).keys()
    assert not any("env/" in path or "flakefighters" in path for path in files(copy.folder))


def test_nothing_is_written_to_the_repository(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit({"shop/tax.py": "RATE = 2\n"})
    before = sorted((repository.root / ".git").rglob("*"))
    copied(repository, tmp_path, first)
    assert sorted((repository.root / ".git").rglob("*")) == before


def test_a_tree_that_is_not_there(repository: Repository, tmp_path: Path) -> None:
    checkout = Checkout.read(Anchor(repository.root))
    copy = make_copy(checkout, "1" * 40, tmp_path / "copy")
    assert copy.reason == "git does not have the tree 1111111"
