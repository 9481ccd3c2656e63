"""Real git, in every shape that it is found in: the tests run, and the run is recorded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.project import Project

SUITE = """
    from shop import tax
    def test_a(): assert tax() == 1
    def test_b(): assert 0
    """
SHOP = "def tax():\n    return 1\n"


def run_twice(project: Project, *, where: Path | None = None) -> None:
    """Fail twice without a word of trouble; the second run has a history to look at."""
    for count in (1, 2):
        ended = project.pytest("--color=no", cwd=where, expect=1)
        assert ended.warnings == []
        assert len(ended.verdicts) == 1
        assert "saved to local" in ended.closing
        assert len(project.runs()) == count
        assert project.run().outcomes == ".F"
        assert project.run().head.state is not None


def write(project: Project) -> None:
    project.write({"test_it.py": SUITE, "shop.py": SHOP, "pytest.ini": "[pytest]\n"})


def test_no_git(project: Project) -> None:
    write(project)
    run_twice(project)
    assert project.run().head.commit is None
    # No program of that name either.
    ended = project.pytest("--color=no", env={"PATH": str(project.home)}, expect=1)
    assert ended.warnings == []


def test_no_commit_then_one(project: Project) -> None:
    project.init()
    write(project)
    run_twice(project)
    commit = project.commit()
    ended = project.pytest("--color=no", expect=1)
    assert ended.warnings == []
    assert project.run().head.commit == commit
    assert project.run().head.dirty is False


def test_sub_folder(project: Project) -> None:
    project.init(project.root.parent)
    write(project)
    project.commit()
    run_twice(project)
    assert list(project.run().suite) == ["project/test_it.py::test_a", "project/test_it.py::test_b"]
    assert project.git("status", "--porcelain") == ""


def test_depth_one_clone_and_detached_head(project: Project) -> None:
    origin = project.root.parent / "origin"
    origin.mkdir()
    write(project)
    project.init()
    first = project.commit()
    project.commit({"shop.py": SHOP + "\n# later\n"})
    project.git("clone", "-q", "--bare", str(project.root), str(origin))
    project.root.rename(project.root.parent / "first")
    project.git("clone", "-q", "--depth=1", f"file://{origin}", str(project.root), cwd=origin)
    (project.root / ".git" / "info" / "exclude").write_text(
        "flakefighters.db*\n.flakefighters/\n.pytest_cache/\n__pycache__/\n"
    )
    run_twice(project)
    project.git("checkout", "-q", "--detach")
    project.pytest(expect=1)
    assert project.run().head.branch is None
    assert project.run().head.commit not in (None, first)


def test_odd_files(project: Project) -> None:
    """Changed files that are not UTF-8, or whose names have blanks, quotes, other letters."""
    project.init()
    write(project)
    names = ["a file.py", "é ü.py", 'quo"te.py', "new\nline.txt", "-dash.py", "☃.py"]
    project.write(dict.fromkeys(names, "x = 1\n"))
    project.write({"latin.py": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")})
    project.commit()
    run_twice(project)
    project.write(dict.fromkeys(names, "x = 2\n"))
    project.write({"latin.py": "# -*- coding: latin-1 -*-\nx = 'ü'\n".encode("latin-1")})
    project.write({"bad.py": b"x = '\xff'\n", "empty.py": b"", "nul.py": b"\0\0"})
    project.write({os.fsdecode(b"\xff\xfe.py"): "x = 3\n"})
    ended = project.pytest("--color=no", expect=1)
    assert ended.warnings == []
    assert project.run().head.dirty is True
    assert len(project.runs()) == 3


def test_sparse_checkout(project: Project) -> None:
    project.init()
    write(project)
    project.write({"docs/big.txt": "x\n", "lib/other.py": "x = 1\n"})
    project.commit()
    project.git("sparse-checkout", "set", "--no-cone", "/*.py", "/*.ini")
    assert not (project.root / "docs").exists()
    run_twice(project)
    assert project.run().head.dirty is False


def test_linked_work_tree_and_submodule(project: Project) -> None:
    inner = project.root.parent / "inner"
    inner.mkdir()
    project.write({"lib.py": "x = 1\n"}, root=inner)
    project.init(inner)
    project.commit()
    project.init(project.root)
    write(project)
    project.git("submodule", "add", "-q", str(inner), "vendored")
    project.commit()
    run_twice(project)
    project.write({"vendored/lib.py": "x = 2\n"})
    project.pytest(expect=1)
    assert project.run().head.dirty is True
    tree = project.root.parent / "tree"
    project.git("worktree", "add", "-q", str(tree))
    (note,) = project.pytest("--color=no", cwd=tree, expect=1).warnings
    assert "this work tree begins a history of its own" in note
    assert project.pytest("--color=no", cwd=tree, expect=1).warnings == []
    assert len(project.runs(tree / "flakefighters.db")) == 2


def test_a_submodule_concerns_those_who_use_it(project: Project) -> None:
    inner = project.root.parent / "inner"
    inner.mkdir()
    library = {"lib.py": "def f():\n    return 1\n", "data.txt": "1\n"}
    project.write(library, root=inner)
    project.init(inner)
    project.commit()
    project.init(project.root)
    down = project.home / "down"
    project.write(
        {
            "pytest.ini": "[pytest]\npythonpath = vendored\n",
            "test_user.py": """
            from pathlib import Path
            from lib import f

            def test_runs():
                assert f() == 1

            DATA = Path(__file__).with_name("vendored") / "data.txt"

            def test_reads():
                assert DATA.read_text() == "1\\n"
            """,
            "test_other.py": f"""
            from pathlib import Path

            def test_moody():
                assert not Path({str(down)!r}).exists()
            """,
        }
    )
    project.git("submodule", "add", "-q", str(inner), "vendored")
    project.commit()
    project.pytest(expect=0)
    down.touch()
    project.write({"vendored/lib.py": "def f():\n    return 2\n", "vendored/data.txt": "2\n"})
    project.git("commit", "-q", "-am", "other", cwd=project.root / "vendored")
    project.commit()
    ended = project.pytest("--color=no", expect=1)
    told = {line.partition(" - ")[0]: label for label, line in ended.verdicts}
    if sys.version_info < (3, 12):  # which functions ran is not known there
        assert "FLAKY" not in (told["test_user.py::test_runs"], told["test_user.py::test_reads"])
        return
    reads = "test_user.py::test_reads - opened vendored, changed in"
    assert any(line.startswith(reads) for _, line in ended.verdicts)
    assert told.pop("test_user.py::test_runs") == "GENUINE"
    assert told == {"test_user.py::test_reads": "GENUINE", "test_other.py::test_moody": "FLAKY"}


def test_a_hostile_repository(project: Project) -> None:
    """Its own settings start no program."""
    project.init()
    write(project)
    project.commit()
    run_twice(project)
    script = project.home / "program"
    script.write_text(f"#!/bin/sh\ntouch {project.home}/started\ncat\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "core.sshCommand",
        "core.editor",
    ):
        project.git("config", key, str(script))
    project.write({".git/info/attributes": "*.py diff=x\n", "shop.py": SHOP + "# more\n"})
    ended = project.pytest("--color=no", expect=1)
    assert ended.warnings == []
    assert not (project.home / "started").exists()


def test_flaky_and_genuine(project: Project) -> None:
    """The main job: the same state passed before, or a file that the test reaches has changed."""
    project.init()
    project.write(
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "shop/__init__.py": "",
            "shop/tax.py": "def tax():\n    return 20\n",
            "tests/test_tax.py": "from shop.tax import tax\ndef test_tax(): assert tax() == 20\n",
            "tests/test_pay.py": "import os\n"
            "def test_pay(): assert not os.path.exists(os.path.expanduser('~/busy'))\n",
        }
    )
    project.commit()
    project.pytest(expect=0)
    passed = project.run().head.id[-4:]
    (project.home / "busy").touch()
    ended = project.pytest("--color=no", expect=1)
    (project.home / "busy").unlink()
    ((label, rest),) = ended.verdicts
    assert label == "FLAKY"
    assert rest.startswith("tests/test_pay.py::test_pay - ")
    assert passed in rest
    project.commit({"shop/tax.py": "def tax():\n    return 19\n"})
    ended = project.pytest("--color=no", expect=1)
    ((label, rest),) = ended.verdicts
    assert label == "GENUINE"
    assert rest.startswith("tests/test_tax.py::test_tax - ")
    assert "shop/tax.py" in rest
    assert ended.closing.startswith("1 genuine; run ")
    done = project.flakefighters("explain", "tests/test_tax.py::test_tax")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to give a folder away"
)
def test_a_folder_of_somebody_else(project: Project) -> None:
    project.init()
    write(project)
    project.commit()
    for path in [project.root, *project.root.rglob("*")]:
        os.chown(path, 65534, 65534)
    for count in (1, 2):
        ended = project.pytest("--color=no", expect=1)
        assert len(ended.warnings) <= 1
        assert len(project.runs()) == count
