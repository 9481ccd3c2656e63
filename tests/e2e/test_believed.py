"""Whom the verdicts of real runs believe, and what stops none of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.project import Project

SHOP = {
    "shop.py": "def add(a, b):\n    return a + b\n",
    "test_it.py": """
        import os
        from shop import add

        def test_add(): assert add(1, 2) == 3
        def test_moody(): assert add(0, 0) == 0 and not os.path.exists("../down")
        """,
    ".gitignore": "*.db*\n.flakefighters\n__pycache__\n",
}


@pytest.fixture
def shop(project: Project) -> Project:
    project.init()
    project.commit(SHOP)
    return project


def down(shop: Project) -> None:
    (shop.root.parent / "down").touch()


def change(shop: Project, sql: str) -> None:
    with closing(sqlite3.connect(shop.database)) as connection:
        connection.execute(sql)
        connection.commit()


def test_a_read_only_profile_and_what_it_records(shop: Project) -> None:
    """Evidence is the union of both; with the server away, of what is here."""
    shop.write({"profiles.toml": '[profiles.team]\nurl = "sqlite:///x.db"\nread_only = true\n'})
    shop.pytest(expect=0)
    (shop.root / "x.db").write_bytes(shop.database.read_bytes())
    shop.database.unlink()
    shop.env["FLAKEFIGHTERS_PROFILE"] = "team"
    shop.pytest(expect=0)
    down(shop)
    ((label, line),) = shop.pytest(expect=1).verdicts
    assert label == "FLAKY"
    assert "passed on the same state" in line
    shop.env["FLAKEFIGHTERS_PROFILES__TEAM__URL"] = "postgresql://r:secret-enough@127.0.0.1:1/d"
    ended = shop.pytest(expect=1)
    assert [label for label, _ in ended.verdicts] == ["FLAKY"]
    assert ended.closing.endswith("saved to local")


def test_a_file_is_believed_alike_whether_it_is_read_or_cloned(shop: Project) -> None:
    shop.write({"profiles.toml": '[profiles.art]\nurl = "sqlite:///x.db"\nread_only = true\n'})
    shop.pytest(expect=0)
    shop.database.rename(shop.root / "x.db")
    down(shop)
    live = ("--flakefighters-profile=art", "--no-flakefighters-save")
    reason = "which came from a file and is not believed"
    ((label, line),) = shop.pytest(*live, expect=1).verdicts
    assert (label, reason in line) == ("UNDECIDED", True)
    shop.flakefighters("clone", "--from", "art")
    ((label, line),) = shop.pytest("--no-flakefighters-save", expect=1).verdicts
    assert (label, reason in line) == ("UNDECIDED", True)
    # The user says whom to believe; the project may not.
    shop.env["FLAKEFIGHTERS_PROFILES__ART__TRUST"] = "protected"
    ((label, _),) = shop.pytest(*live, expect=1).verdicts
    assert label == "FLAKY"
    shop.flakefighters("clone", "--from", "art")
    ((label, _),) = shop.pytest("--no-flakefighters-save", expect=1).verdicts
    assert label == "FLAKY"


def test_the_project_does_not_say_whom_to_believe(shop: Project) -> None:
    shop.write(
        {
            "profiles.toml": '[profiles.art]\nurl = "sqlite:///x.db"\nread_only = true\n'
            'trust = "protected"\n'
        }
    )
    shop.pytest(expect=0)
    shop.database.rename(shop.root / "x.db")
    down(shop)
    ended = shop.pytest("--flakefighters-profile=art", expect=1)
    ((label, _),) = ended.verdicts
    assert label == "UNDECIDED"
    (warning,) = [one for one in ended.warnings if "trust" in one]
    assert "may not say whom to believe (set in profiles.toml:4)" in warning


@pytest.mark.parametrize(
    ("sql", "label"),
    [
        ("UPDATE run SET outcomes = 'ZZZ'", "UNDECIDED"),
        ("UPDATE run SET context = '{'", "UNDECIDED"),
        ("UPDATE suite SET added = '['", "UNDECIDED"),
        ("UPDATE environment SET settings = '{'", "FLAKY"),
        ("UPDATE listing SET files = '{'", "FLAKY"),
    ],
)
def test_a_row_that_cannot_be_read(shop: Project, sql: str, label: str) -> None:
    shop.pytest(expect=0)
    down(shop)
    change(shop, sql)
    ended = shop.pytest(expect=1)
    assert [label for label, _ in ended.verdicts] == [label]
    assert "saved to local" in ended.closing
    assert "not saved" not in ended.closing
    assert len([one for one in ended.warnings if "cannot be read" in one]) == (label != "FLAKY")
    if label != "FLAKY":
        assert "in any known run" not in ended.out
    for command in (("runs",), ("tests",), ("explain", "test_it.py::test_moody")):
        done = shop.flakefighters(*command)
        assert "Traceback" not in f"{done.stdout}{done.stderr}", command


def test_git_speaks_before_lists_of_others(shop: Project) -> None:
    """An untrusted run says that the file was as broken before; it is not asked."""
    shop.pytest(expect=0)
    good = shop.git("rev-parse", "HEAD:shop.py").strip()[:16]
    shop.write({"shop.py": "def add(a, b):\n    return a - b\n"})
    bad = shop.git("hash-object", "shop.py").strip()[:16]
    change(shop, f"UPDATE listing SET files = replace(files, '{good}', '{bad}')")
    found = {line.split(" ")[0]: label for label, line in shop.pytest(expect=1).verdicts}
    assert found["test_it.py::test_add"] == "GENUINE"


def test_a_repeated_failure_names_what_changed(shop: Project) -> None:
    shop.pytest(expect=0)
    shop.write({"shop.py": "def add(a, b):\n    return a - b\n"})
    for n in range(3):
        ((label, line),) = shop.pytest(expect=1).verdicts
        assert label == "GENUINE"
        assert "shop.py" in line
        assert ("failing alike since run" in line) is (n > 0)


def test_another_environments_reason_does_not_hold_here(shop: Project) -> None:
    shop.write({"profiles.toml": 'state_env = ["MODE"]\n'})
    shop.commit({})
    shop.env["MODE"] = "a"
    shop.pytest(expect=0)
    down(shop)
    shop.env["MODE"] = "b"
    shop.pytest(expect=1)
    shop.env["MODE"] = "a"
    shop.commit({"note.txt": "x\n"})
    ((label, _),) = shop.pytest(expect=1).verdicts
    assert label == "FLAKY"
