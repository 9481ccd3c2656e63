"""What was known of a folder still counts when its project gets another identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Ended, Project

SHOP = {
    "shop.py": "def add(a, b):\n    return a + b\n",
    "test_shop.py": "from shop import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
ACME = "https://github.com/acme/shop.git"


def broken(project: Project, root: Path | None = None) -> Ended:
    project.write({"shop.py": "def add(a, b):\n    return a - b\n"}, root)
    return project.pytest("-q", cwd=root)


def is_genuine(ended: Ended) -> bool:
    [(label, reason)] = ended.verdicts
    # Python 3.11 sees no functions.
    return label == "GENUINE" and ("add()" in reason or "imports shop.py" in reason)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [("remote", "add", "origin", ACME)]),
        (
            [("remote", "add", "origin", "https://github.com/mallory/shop.git")],
            [("remote", "add", "upstream", ACME)],
        ),
        (
            [("remote", "add", "origin", ACME)],
            [("remote", "set-url", "origin", "git@git.acme.example:shop.git")],
        ),
        ([("remote", "add", "origin", ACME)], [("remote", "remove", "origin")]),
        (
            [("remote", "add", "origin", ACME)],
            [("remote", "set-url", "origin", "ssh://git@github.com/acme/shop")],
        ),
        ([("remote", "add", "origin", ACME)], [("remote", "rename", "origin", "acme")]),
        ([("remote", "add", "origin", "../shop.git")], [("remote", "add", "upstream", ACME)]),
    ],
)
def test_remotes_come_and_go(
    project: Project, before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    project.init()
    for command in before:
        project.git(*command)
    project.commit(SHOP)
    project.pytest("-q", expect=0)
    for command in after:
        project.git(*command)
    assert is_genuine(broken(project))


def test_a_moved_folder(project: Project, tmp_path: Path) -> None:
    project.init()
    project.commit(SHOP)
    project.pytest("-q", expect=0)
    moved = tmp_path / "elsewhere"
    project.root.rename(moved)
    assert is_genuine(broken(project, moved))


def test_the_setting_project(project: Project) -> None:
    project.init()
    project.commit(SHOP)
    project.pytest("-q", expect=0)
    project.write({"profiles.toml": "project = 'shop'\n"})
    assert is_genuine(broken(project))


def test_a_list_that_git_tracks_is_not_read(project: Project) -> None:
    project.init()
    project.git("remote", "add", "origin", ACME)
    project.commit(SHOP)
    project.pytest("-q", expect=0)
    project.git("remote", "set-url", "origin", "https://github.com/acme/other.git")
    project.git("add", "-f", ".flakefighters/identities")
    [(label, reason)] = broken(project).verdicts
    assert label != "FLAKY"
    assert "since it last passed" not in reason


def test_a_work_tree_says_whose_history_there_is(project: Project, tmp_path: Path) -> None:
    project.init()
    project.commit(SHOP)
    project.pytest("-q", expect=0)
    tree = tmp_path / "tree"
    project.git("worktree", "add", "-q", str(tree))
    first = project.pytest("-q", cwd=tree, expect=0)
    [line] = [one for one in first.warnings if "work tree" in one]
    variable, _, url = line.rpartition(" ")[2].partition("=")
    assert variable == "FLAKEFIGHTERS_PROFILES__LOCAL__URL"
    assert not [one for one in project.pytest("-q", cwd=tree, expect=0).warnings if "tree" in one]
    project.env[variable] = url
    (tree / "flakefighters.db").unlink()
    assert is_genuine(broken(project, tree))
