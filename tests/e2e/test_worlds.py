"""Tests leave strange worlds behind: their run is judged and saved all the same."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from flakefighters.model import Outcome
from tests.e2e.project import Project
from tests.requirements import need_module

NOW = 1_700_000_000_000_000  # µs; any real clock is later


@pytest.fixture
def project(project: Project) -> Project:
    """A project whose runs import all of flakefighters in the world that they have."""
    project.ready = False
    return project


def good(project: Project, expect: int = 1, **how: Any) -> None:
    """The run is saved, without a warning."""
    ended = project.pytest("--color=no", expect=expect, **how)
    assert ended.warnings == []
    assert "saved to local" in ended.closing, ended.out
    assert "not saved" not in ended.closing
    assert project.spool == []


def test_frozen_clock(project: Project) -> None:
    """Frozen for the whole session from the first conftest on, or left frozen by a test."""
    need_module("freezegun")
    freeze = "from freezegun import freeze_time\nfreezer = freeze_time('2012-01-14')\n"
    project.write({"conftest.py": freeze + "freezer.start()\n"})
    project.test("import time\ndef test_a(): assert time.time() < 1.4e9\ndef test_b(): assert 0\n")
    good(project)
    project.write({"conftest.py": ""})
    project.test(freeze + "def test_a(): freezer.start()\ndef test_b(): assert 0\n")
    good(project)
    project.test(freeze + "@freezer\ndef test_a(): pass\ndef test_b(): assert 0\n")
    good(project)
    assert [run.outcomes for run in project.runs()] == [".F"] * 3
    for run in project.runs():
        assert run.head.started > NOW
        assert run.head.ended is not None
        assert 0 < run.head.ended - run.head.started < 60_000_000


def test_fake_file_system(project: Project) -> None:
    need_module("pyfakefs")
    project.write(
        {
            "conftest.py": """
                import os
                import pytest
                from pyfakefs.fake_filesystem_unittest import Patcher

                patcher, folder = Patcher(), os.getcwd()

                @pytest.fixture(scope="session")
                def fake():
                    patcher.setUp()
                    patcher.fs.create_dir(folder)
                    return patcher.fs

                @pytest.hookimpl(trylast=True)
                def pytest_sessionfinish():
                    patcher.tearDown()
                """,
            "test_it.py": """
                import os, pathlib
                def test_a(): assert 0
                # pytest itself does not always live through another test in such a world.
                def test_b(fake):
                    pathlib.Path("/only/here").mkdir(parents=True)
                    assert not os.path.exists("test_it.py")
                    assert os.path.exists("/elsewhere")
                """,
        }
    )
    good(project, env={"PYTEST_ADDOPTS": "-s -p no:cacheprovider"})
    assert project.run().outcomes == "FF"
    assert project.run().executions[1].failures[0].exception == "AssertionError"


def test_fake_file_system_of_the_plugin(project: Project) -> None:
    need_module("pyfakefs")
    project.test(
        """
        import os
        def test_a(fs): assert not os.path.exists("/usr")
        def test_b(fs_session): assert 0
        """
    )
    good(project, plugins=["pytest_fakefs" if _has_entry("pytest_fakefs") else "fakefs"])
    assert project.run().outcomes == ".F"


def _has_entry(name: str) -> bool:
    from importlib.metadata import entry_points

    return any(one.name == name for one in entry_points(group="pytest11"))


def test_folders_and_environment(project: Project) -> None:
    project.init()
    project.test(
        """
        import os, shutil, sys
        def test_a(tmp_path):
            os.chdir(tmp_path)
        def test_b(tmp_path):
            (tmp_path / "gone").mkdir()
            os.chdir(tmp_path / "gone")
            shutil.rmtree(tmp_path / "gone")
        def test_c():
            os.environ.clear()
            os.umask(0o777)
            sys.path[:] = []
            sys.stdout = sys.stderr = None
            assert 0
        """
    )
    project.commit()
    good(project, expect=1)
    assert project.run().outcomes == "..F"
    assert project.database.stat().st_mode & 0o777 == 0o600


def test_purged_modules(project: Project) -> None:
    project.test(
        """
        import sys
        def test_a():
            for name in list(sys.modules):
                if name.partition(".")[0] in ("flakefighters", "sqlite3", "json", "subprocess",
                                              "dataclasses", "typing", "enum", "socket"):
                    del sys.modules[name]
        def test_b(): assert 0
        """
    )
    good(project)
    assert project.run().outcomes == ".F"


def test_replaced_functions(project: Project) -> None:
    project.test(
        """
        import builtins, json, os, socket, sqlite3, subprocess, time

        def no(*args, **kwargs):
            raise RuntimeError("not now")

        def test_a():
            sqlite3.connect = subprocess.Popen = socket.socket = no
            time.time = time.monotonic = time.time_ns = no
            time.sleep = lambda seconds: None
            json.dumps = json.loads = json.load = json.dump = no
        """
    )
    good(project, expect=0, env={"PYTEST_ADDOPTS": "-p no:cacheprovider"})


def test_warnings_are_errors(project: Project) -> None:
    project.write({"pytest.ini": "[pytest]\nfilterwarnings = error\n"})
    project.test("def test_a(): pass\ndef test_b(): assert 0\n")
    good(project, python=["-W", "error", "-X", "dev", "-b"])
    good(project, env={"PYTHONWARNINGS": "error", "PYTHONWARNDEFAULTENCODING": "1"})
    assert [run.outcomes for run in project.runs()] == [".F", ".F"]


def test_no_sockets(project: Project) -> None:
    need_module("pytest_socket")
    project.test(
        """
        import pytest, pytest_socket, socket
        def test_a():
            with pytest.raises(pytest_socket.SocketBlockedError):
                socket.socket()
        def test_b(): assert 0
        """
    )
    good(project, plugins=["socket"], env={"PYTEST_ADDOPTS": "--disable-socket"})
    assert project.run().outcomes == ".F"


def test_timeouts(project: Project) -> None:
    need_module("pytest_timeout")
    project.test(
        """
        import time
        def test_a(): pass
        def test_b(): time.sleep(30)
        def test_c(): pass
        """
    )
    plugins = ["timeout"]
    options = ["--timeout=0.3", "--color=no"]
    ended = project.pytest(*options, "--timeout-method=signal", plugins=plugins, expect=1)
    assert ended.warnings == []
    assert project.run().outcomes == ".F."
    # This method ends the process on the spot.
    project.pytest(*options, "--timeout-method=thread", plugins=plugins, expect=1)
    assert len(project.runs()) == 1
    project.pytest("-k", "test_a", expect=0)
    assert [run.outcomes for run in project.runs()] == [".", ".?-", ".F."]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_forked_children(project: Project) -> None:
    project.test(
        """
        import multiprocessing, os, sys, warnings

        def child(queue):
            queue.put(1)

        def test_multiprocessing():
            context = multiprocessing.get_context("fork")
            queue = context.Queue()
            process = context.Process(target=child, args=(queue,))
            process.start()
            assert queue.get(timeout=20) == 1
            process.join()

        def test_fork():
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0

        def test_falls_through():
            # The child goes on with the rest of the session as if it were pytest.
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)

        def test_after(): assert 0
        """
    )
    ended = project.pytest("--color=no", expect=1)
    assert ended.warnings == []
    assert len(project.runs()) == 1
    assert project.run().outcomes == "...F"
    assert len([line for line in ended.out.splitlines() if "saved to local" in line]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_pytest_forked(project: Project) -> None:
    need_module("pytest_forked")
    project.test(
        """
        import os
        def test_a(): pass
        def test_b(): assert 0
        def test_c(): os.kill(os.getpid(), 9)
        """
    )
    forked: dict[str, Any] = {"plugins": ["pytest_forked"], "env": {"PYTEST_ADDOPTS": "--forked"}}
    if "1 passed" not in project.pytest(on=False, **forked).out:
        pytest.skip("this pytest-forked and this pytest do not work together")
    good(project, **forked)
    assert project.run().outcomes == ".FF"
    failures = {one.nodeid[-1]: one.failures[0] for one in project.run().executions}
    assert failures["b"].exception == "AssertionError"
    assert failures["c"].exception is None


def test_other_plugins_together(project: Project) -> None:
    for module in ("pytest_randomly", "pytest_asyncio", "hypothesis"):
        need_module(module)
    project.write(
        {
            "pytest.ini": """
                [pytest]
                asyncio_default_fixture_loop_scope = function
                asyncio_mode = auto
                """,
            "test_it.py": """
                import asyncio
                import pytest
                from hypothesis import given, settings, strategies

                async def test_async():
                    await asyncio.sleep(0)

                async def test_async_fails():
                    await asyncio.sleep(0)
                    assert 0

                @settings(database=None)
                @given(strategies.integers())
                def test_property(number):
                    assert number < 100
                """,
        }
    )
    plugins = ["randomly", "asyncio", "hypothesispytest"]
    good(project, plugins=plugins)
    run = project.run()
    assert sorted(run.outcomes) == [".", "F", "F"]
    assert "randomly" in run.head.context["seeds"]
    (found,) = [one for one in run.executions if one.nodeid.endswith("test_property")]
    assert found.failures[0].facts["property"] is True


def test_without_cache_or_terminal(project: Project) -> None:
    project.test("def test_a(): pass\ndef test_b(): assert 0\n")
    good(project, env={"PYTEST_ADDOPTS": "-p no:cacheprovider"})
    ended = project.pytest("-p", "no:terminal", expect=1)
    assert ended.out == ""
    assert ended.err == ""
    assert len(project.runs()) == 2


def test_coverage(project: Project) -> None:
    """pytest-cov's report is the same, no data is left behind, no setting is inherited."""
    need_module("pytest_cov")
    project.write(
        {
            ".coveragerc": "[run]\nsource = nowhere\nbranch = true\n[report]\nfail_under = 0\n",
            "shop.py": "def tax(x):\n    if x:\n        return 1\n    return 2\n",
            "test_it.py": """
                from shop import tax
                def test_a(): assert tax(1) == 1
                def test_b(): assert tax(0) == 3
                """,
        }
    )
    plugins = ["pytest_cov"]
    options = ["--cov=shop", "--cov-report=term-missing", "--cov-report=json", "--color=no"]
    bare = project.pytest(*options, plugins=plugins, on=False, expect=1)
    ended = project.pytest(*options, plugins=plugins, expect=1)
    assert ended.others == bare.others
    assert len(ended.verdicts) == 1
    # A threshold that is missed ends with the exit code that it has without us.
    (project.root / "test_it.py").write_text("def test_a(): import shop\n")
    options = ["--cov=shop", "--cov-fail-under=100"]
    bare = project.pytest(*options, plugins=plugins, on=False)
    project.pytest(*options, plugins=plugins, expect=bare.code)
    (project.root / ".coverage").unlink()
    project.pytest("--color=no", expect=0)
    assert not (project.root / ".coverage").exists()


def test_json_report(project: Project) -> None:
    pytest.importorskip("pytest_jsonreport")  # not in the test extra: its last release is old
    project.test(
        """
        import pytest
        def test_a(): pytest.skip("no")
        def test_b(missing): pass
        def test_c(): pass
        """
    )
    project.pytest("--json-report", plugins=["pytest_jsonreport", "pytest_metadata"], expect=1)
    assert project.outcomes()["test_it.py::test_b"] is Outcome.ERROR
    assert (project.root / ".report.json").exists()


WITNESS = """
    import json, os, random, signal, sys, threading, warnings
    random.seed(7)

    def seen():
        links = []
        for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
            try:
                link = os.readlink("/proc/self/fd/" + name)
            except OSError:
                continue
            links.append(link.partition(":")[0].partition("#")[0])
        environ = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        return {
            "threads": [one.name for one in threading.enumerate()],
            "descriptors": sorted(links),
            "path": sys.path,
            "environ": environ,
            "cwd": os.getcwd(),
            "filters": repr(warnings.filters),
            "finders": [getattr(one, "__name__", type(one).__name__) for one in sys.meta_path],
            "hooks": [repr(one).partition(" at ")[0] for one in (
                sys.excepthook, sys.unraisablehook, sys.gettrace(), sys.getprofile(),
                threading.excepthook)],
            "signals": [repr(signal.getsignal(one)).partition(" at ")[0]
                        for one in sorted(signal.valid_signals()) if one not in (9, 19)],
            "umask": os.umask(os.umask(0o22) or 0o22),
            "random": random.random(),
            "argv": sys.argv[1:],
            "recursion": sys.getrecursionlimit(),
            "children": open(f"/proc/self/task/{os.getpid()}/children").read(),
        }

    def test_first(): pass
    def test_failing(): assert 0
    def test_last():
        json.dump(seen(), open(os.environ["WITNESS"], "w"))
    """


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_tests_see_nothing_of_us(project: Project) -> None:
    """No thread, descriptor, variable, hook or warning filter more than without the plugin."""
    import json

    project.init()
    project.test(WITNESS)
    project.commit()
    project.pytest(expect=1, env={"WITNESS": str(project.home / "0")})
    told = []
    for number, on in enumerate((False, True)):
        path = project.home / f"witness{number}"
        ended = project.pytest(
            "-p", "no:cacheprovider", on=on, env={"WITNESS": str(path)}, expect=1
        )
        assert ended.warnings == []
        seen = json.loads(path.read_text())
        seen["environ"].pop("WITNESS")
        seen["argv"] = [one for one in seen["argv"] if one not in ("-p", "flakefighters.plugin")]
        told.append(seen)
    for name, value in told[0].items():
        assert told[1][name] == value, name
    assert time.time() * 1e6 > NOW
