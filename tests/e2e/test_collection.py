"""Files that cannot be collected are judged by what passed in them before."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.project import Project

TEST = "from shop import rate\ndef test_rate(): assert rate() == 1\n"


def test_a_change_behind_an_unchanged_file(project: Project) -> None:
    project.init()
    project.commit({"test_shop.py": TEST, "shop.py": "def rate(): return 1\n"})
    project.pytest(expect=0)
    project.commit({"shop.py": "def raet(): return 1\n"})
    (verdict,) = project.pytest(expect=2).verdicts
    assert verdict[0] == "GENUINE"
    assert verdict[1].startswith("test_shop.py - in collection: imports shop.py, changed in ")


def test_an_import_that_fails_now_and_then(project: Project, tmp_path: Path) -> None:
    project.init()
    down = tmp_path / "down"
    shop = f"import os\nassert not os.path.exists({str(down)!r})\ndef rate(): return 1\n"
    project.commit({"test_shop.py": TEST, "shop.py": shop})
    project.pytest(expect=0)
    down.touch()
    (verdict,) = project.pytest(expect=2).verdicts
    assert verdict[0] == "FLAKY"
    assert "passed on the same state" in verdict[1]


def test_the_proof_may_come_later(project: Project, tmp_path: Path) -> None:
    project.init()
    down = tmp_path / "down"
    down.touch()
    shop = f"import os\nassert not os.path.exists({str(down)!r})\ndef rate(): return 1\n"
    project.commit({"test_shop.py": TEST, "shop.py": shop})
    project.pytest(expect=2)
    down.unlink()
    (verdict,) = project.pytest(expect=0).verdicts
    assert verdict[0] == "FLAKY"


def test_one_import_that_many_files_lack(project: Project) -> None:
    project.init()
    files: dict[str, str | bytes] = {f"test_{n}.py": TEST for n in range(12)}
    project.commit({**files, "shop.py": "def rate(): return 1\n"})
    project.pytest(expect=0)
    project.commit({"shop.py": "def raet(): return 1\n"})
    verdicts = project.pytest("-v", expect=2).verdicts
    assert {label for label, _ in verdicts} == {"GENUINE"}
    assert len(verdicts) == 12


def test_a_folder_whose_conftest_cannot_be_imported(project: Project) -> None:
    project.init()
    project.commit({"a/test_a.py": "def test_a(): pass\n", "a/conftest.py": "", "b/note": ""})
    project.pytest(expect=0)
    project.write({"a/conftest.py": "import absent\n"})
    ((label, text),) = project.pytest(expect=2).verdicts
    assert (label, text[:37]) == ("GENUINE", "a - in collection: its own file a/con")


def test_a_first_run_knows_what_git_knows(project: Project) -> None:
    project.init()
    project.commit({"test_shop.py": TEST, "shop.py": "def rate(): return 1\n"})
    project.write({"test_new.py": "import absent\n", "shop.py": "def raet(): return 1\n"})
    verdicts = project.pytest(expect=2).verdicts
    assert [label for label, _ in verdicts] == ["GENUINE", "GENUINE"]
    assert "its own file test_new.py is new (no earlier run is known)" in verdicts[0][1]
    assert "imported shop.py, which an uncommitted edit changes" in verdicts[1][1]
