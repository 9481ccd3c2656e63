"""Files opened and child processes started, through a real pytest run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flakefighters.tracing.audit import Audit


def test_opened_files(project: Any) -> None:
    for name in ("data/a.txt", "data/b.txt", "data/c.txt"):
        project.write(name, "text")
    project.data = {"data/a.txt", "data/b.txt", "data/fresh"}
    (project.path / "data" / "fresh").mkdir()
    (project.path / "link").symlink_to("data")
    project.write(
        "test_a.py",
        """
        import io, os, pathlib, sqlite3, pytest

        HERE = pathlib.Path(__file__).parent

        @pytest.fixture(scope="session")
        def wide(): return (HERE / "data" / "b.txt").read_text()

        def test_nothing(): open(HERE / "data" / "c.txt").close()
        def test_open(): open("data/a.txt").close()
        def test_bytes(): io.open(os.fsencode(HERE / "data" / "a.txt"), "rb").close()
        def test_low(): os.close(os.open("data/../data/a.txt", os.O_RDONLY))
        def test_link(): open("link/a.txt").close()
        def test_cwd(monkeypatch):
            monkeypatch.chdir("data")
            open("a.txt").close()
        def test_database():
            with pytest.raises(sqlite3.Error):
                sqlite3.connect("data/a.txt").execute("select * from sqlite_master")
        def test_listing(): os.listdir("data/fresh")
        def test_glob(): list((HERE / "data" / "fresh").glob("*"))
        def test_missing():
            with pytest.raises(OSError):
                open("missing/a.txt")
        def test_number(): os.fdopen(os.dup(0)).close()
        def test_wide(wide): pass
        def test_wide_too(wide): pass
        def test_strange(monkeypatch):
            def refuse(*a): raise RuntimeError
            for name in ("getcwd", "lstat", "fspath", "getpid"):
                monkeypatch.setattr(os, name, refuse)
            open("data/a.txt").close()
        """,
    )
    outcome = project.run(expect=(0,))
    a, b, fresh = {"data/a.txt"}, {"data/b.txt"}, {"data/fresh"}
    expected = {"nothing": set(), "open": a, "bytes": a, "low": a, "link": a, "cwd": a}
    expected |= {"database": a, "listing": fresh, "glob": fresh, "missing": set()}
    expected |= {"number": set(), "wide": b, "wide_too": b}
    for name, opened in expected.items():
        assert outcome.touched(f"test_{name}").opened == opened, name


def test_children(project: Any) -> None:
    project.changed("shop.py", "def tax(): pass\n", "tax")
    project.write(
        "test_a.py",
        """
        import multiprocessing, os, subprocess, sys, pytest

        def test_nothing(): pass
        def test_run(): subprocess.run(["true", "--password=hunter2"])
        def test_shell(): subprocess.run("true hunter2", shell=True)
        def test_system(): os.system("true hunter2")
        def test_spawn(): os.waitpid(os.posix_spawn("/bin/true", ["true", "hunter2"], {}), 0)
        def test_fork():
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
        def test_process():
            process = multiprocessing.get_context("spawn").Process(target=print)
            process.start()
            process.join()
        def test_after(): pass

        @pytest.fixture(scope="module")
        def server():
            process = subprocess.Popen(["sleep", "60"])
            yield
            process.kill()
            process.wait()
        def test_server(server): pass
        def test_server_too(server): pass
        def test_beside(): pass
        """,
    )
    outcome = project.run("-W", "ignore", expect=(0,))
    expected = {
        "nothing": set(),
        "run": {"subprocess.Popen true"},
        "shell": {"subprocess.Popen sh"},
    }
    expected |= {"system": {"os.system"}, "spawn": {"os.posix_spawn true"}, "fork": {"os.fork"}}
    expected |= {"process": {"multiprocessing.Process"}, "after": set()}
    expected |= {"server": {"subprocess.Popen sleep", "still running: sleep"}}
    expected |= {"server_too": expected["server"], "beside": {"still running: sleep"}}
    for name, children in expected.items():
        reports = next(r for nodeid, r in outcome.tests.items() if nodeid.endswith(f"test_{name}"))
        found = set(reports[1].get("children", ()))
        if sys.platform == "linux":
            # 3.13 starts some children by posix_spawn and tells of both.
            assert {child for child in found if " sh" not in child or "Popen" in child} == children


def test_a_forked_child_records_nothing(project: Any) -> None:
    project.changed("shop.py", "def tax(): pass\n", "tax")
    project.write("test_a.py", "import shop\ndef test_a(): shop.tax()\n")
    outcome = project.run("-p", "pytest_forked", "--forked", "-W", "ignore")
    assert outcome.tests == {} or outcome.touched("test_a").unknown


def test_silent_when_off(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    audit = Audit([str(path)], str)
    audit.start()
    path.read_text()
    assert audit.opened == {str(path)}
    audit.begin()
    audit.stop()
    path.read_text()
    assert audit.opened == set()


def test_a_hook_kept_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from flakefighters.tracing import audit as module

    monkeypatch.setattr(module, "_installed", [])
    monkeypatch.setattr(sys, "addaudithook", lambda hook: None)
    # The hook of an earlier session of this process may hear it all the same: not in a copy.
    monkeypatch.setattr(module, "_listeners", {})
    audit = Audit([], str)
    audit.start()
    assert audit.trouble()


def test_what_a_test_has_read_is_remembered(project: Any) -> None:
    project.changed("shop.py", "def tax(): pass\n", "tax")
    project.write("data/a.txt", "text")
    project.data.add("data/a.txt")
    project.write("test_a.py", "def test_a(): open('data/a.txt').close()\ndef test_b(): pass\n")
    outcome = project.run()
    assert outcome.touched("test_b").opened == frozenset()
    assert outcome.ambient.opened == {"data/a.txt"}
