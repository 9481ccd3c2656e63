"""Exit code 0 in spite of failures: only if each is proved flaky, and nothing else is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from tests.e2e.project import Ended, Project, code
from tests.requirements import need_module

SUPPRESS = "--flakefighters-suppress"
#: Fails as long as a file lies outside of the project.
MOODY = """
    import os

    DOWN = {path!r}

    def test_moody():
        assert not os.path.exists(DOWN)

    def test_other():
        assert 1 + 1 == 2
    """
PROVED = "exit code 0: the only failure is flaky, proved"


class World:
    """A project with a test that fails while ``down`` lies there, and has passed before."""

    def __init__(self, project: Project, down: Path):
        self.project, self.down = project, down

    def write(self, text: str = MOODY, **more: str) -> None:
        """Write the tests, and let them pass once."""
        self.project.write({"test_it.py": code(text).replace("{path!r}", repr(str(self.down)))})
        self.project.write(more)

    def pass_once(self, *args: str, **how: Any) -> None:
        """A run in which all pass."""
        self.down.unlink(missing_ok=True)
        self.project.pytest(*args, expect=0, **how)

    def fail(self, *args: str, **how: Any) -> Ended:
        """A run in which the test fails."""
        self.down.touch()
        return self.project.pytest(*args, **how)


@pytest.fixture
def world(project: Project, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(project, tmp_path_factory.mktemp("world") / "down")


WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])


def how(workers: tuple[str, ...], *plugins: str) -> dict[str, Any]:
    """The plugins for that."""
    if workers:
        need_module("xdist")
    return {"plugins": [*(["xdist"] if workers else []), *plugins]}


@WORKERS
@pytest.mark.parametrize("option", [SUPPRESS, "--flakefighters-fail-on=genuine,undecided"])
def test_proved_flaky_failures_are_left_out(
    world: World, option: str, workers: tuple[str, ...]
) -> None:
    world.write()
    world.pass_once(*workers, **how(workers))
    ended = world.fail(*workers, option, expect=0, **how(workers))
    assert ended.closing.endswith(f"; {PROVED}")
    assert "1 failed, 1 passed" in ended.out, "pytest's own words stay"
    assert world.project.run().head.context["exit_status"] == 1
    again = world.fail(*workers, expect=1, **how(workers))
    assert "exit code" not in again.out
    assert world.fail(option, "--flakefighters-fail-on=all", expect=1).ours
    world.pass_once(*workers, **how(workers))  # four failures in a row would be "broken"
    assert world.fail(option, "--lf", expect=0).closing.endswith(PROVED)


def test_several_kinds_of_failures(world: World) -> None:
    world.write(
        """
        import os
        import unittest
        import pytest

        DOWN = {path!r}

        @pytest.fixture
        def before():
            assert not os.path.exists(DOWN)

        @pytest.fixture
        def after():
            yield
            assert not os.path.exists(DOWN)

        def test_setup(before):
            pass

        def test_teardown(after):
            pass

        def test_both(after):
            assert not os.path.exists(DOWN)

        class TestParts(unittest.TestCase):
            def test_parts(self):
                for n in range(3):
                    with self.subTest(n=n):
                        assert not os.path.exists(DOWN)
        """
    )
    world.pass_once()
    ended = world.fail(SUPPRESS, expect=0)
    assert "failures are flaky, proved" in ended.closing


def test_strict_xpass(world: World) -> None:
    world.write(
        """
        import os
        import pytest

        DOWN = {path!r}

        @pytest.mark.xfail(strict=True)
        def test_known():
            assert os.path.exists(DOWN)
        """
    )
    world.pass_once()
    ended = world.fail(SUPPRESS, expect=1)  # an expected failure is no pass
    assert "exit code stays 1: 1 undecided" in ended.closing


@WORKERS
def test_what_is_not_proved_counts(world: World, workers: tuple[str, ...]) -> None:
    world.write()
    world.pass_once(*workers, **how(workers))
    world.project.write({"test_second.py": "def test_new():\n    assert 0\n"})
    ended = world.fail(*workers, SUPPRESS, expect=1, **how(workers))
    assert "; exit code stays 1: " in ended.closing
    assert "without a verdict" not in ended.closing


def test_genuine_failures_count(world: World) -> None:
    world.write()
    world.project.init()
    world.project.commit()
    world.pass_once()
    world.project.test("def test_moody():\n    assert 0\n")
    ended = world.fail(SUPPRESS, expect=1)
    assert ended.closing.endswith("exit code stays 1: 1 genuine")


def test_failures_without_a_verdict_count(world: World) -> None:
    world.write(
        """
        import os
        import pytest

        DOWN = {path!r}

        @pytest.mark.flakefighters(ignore=True)
        def test_moody():
            assert not os.path.exists(DOWN)
        """
    )
    world.pass_once()
    ended = world.fail(SUPPRESS, expect=1)
    assert ended.closing.endswith("exit code stays 1: 1 without a verdict")


def test_an_unreachable_history_proves_nothing(world: World) -> None:
    world.write()
    world.pass_once()
    world.project.database.write_bytes(b"not a history")
    ended = world.fail(SUPPRESS, expect=1)
    assert "exit code stays 1" in ended.closing


def test_what_may_be_introduced_here_counts(world: World) -> None:
    world.write()
    world.project.init()
    world.project.commit()
    world.pass_once()
    world.project.write({"helper.py": "def number():\n    return 1\n"})
    world.write(
        """
        import os
        from helper import number

        DOWN = {path!r}

        def test_moody():
            assert number() and not os.path.exists(DOWN)

        def test_other():
            assert 1 + 1 == 2
        """
    )
    world.pass_once()
    ended = world.fail(SUPPRESS, expect=1)
    assert ended.closing.endswith("exit code stays 1: 1 flaky, perhaps introduced here")


@WORKERS
@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_a_stopped_session_stays(world: World, option: str, workers: tuple[str, ...]) -> None:
    world.write()
    world.pass_once()
    ended = world.fail(*workers, SUPPRESS, option, **how(workers))
    assert ended.code == (2 if workers else 1)
    assert f"exit code stays {ended.code}" in ended.closing


def test_a_session_that_was_to_stop_at_its_last_test_stays(world: World) -> None:
    world.write()
    world.pass_once()
    ended = world.fail(SUPPRESS, "-x", "-k", "moody", expect=1)
    assert ended.closing.endswith("the session was stopped (stopping after 1 failures)")


#: Name to what a conftest does, the exit code, and what is said of it.
CONFTESTS: Mapping[str, tuple[str, int, str]] = {
    "another code": (
        """
        def pytest_sessionfinish(session):
            session.exitstatus = 7
        """,
        7,
        "exit code stays 7: something else changed it from 1",
    ),
    "after our line": (
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_sessionfinish(session):
            result = yield
            session.exitstatus = 9
            return result
        """,
        9,
        "exit code stays 9: something else changed it from 1",
    ),
    "one failure more": (
        """
        def pytest_sessionfinish(session):
            session.testsfailed += 1
        """,
        1,
        "exit code stays 1: something besides failing tests made it 1",
    ),
    "asks to stop": (
        """
        def pytest_sessionfinish(session):
            session.shouldstop = "enough"
        """,
        1,
        "exit code stays 1: the session was stopped (enough)",
    ),
    "does not report": (
        """
        def pytest_runtest_protocol(item):
            return True if "other" in item.name else None
        """,
        1,
        "exit code stays 1: 1 collected test did not report",
    ),
    "told to exit": (
        """
        import pytest

        def pytest_runtest_logfinish(nodeid):
            if "other" in nodeid:
                pytest.exit("enough", returncode=1)
        """,
        1,
        "exit code stays 1: the session was stopped (enough)",
    ),
}


@pytest.mark.parametrize("name", CONFTESTS)
def test_what_else_is_wrong(world: World, name: str) -> None:
    conftest, expected, sentence = CONFTESTS[name]
    armed = "import os\nif os.environ.get('ARMED'):\n" + indent(code(conftest), "    ")
    world.write()
    world.project.write({"conftest.py": armed})
    world.pass_once()
    ended = world.fail(SUPPRESS, env={"ARMED": "1"}, expect=expected)
    assert sentence in ended.out
    assert world.fail(SUPPRESS, expect=0).closing.endswith(PROVED)


def test_an_error_in_collection_stays(world: World) -> None:
    world.write()
    world.pass_once()
    world.project.write({"test_broken.py": "import nothing_at_all\n"})
    ended = world.fail(SUPPRESS, "--continue-on-collection-errors", expect=1)
    assert "exit code stays 1: 1 file could not be collected" in ended.closing
    ended = world.fail(SUPPRESS, expect=2)
    assert "exit code stays 2" in ended.closing


def test_a_crashed_worker_stays(world: World) -> None:
    world.write(
        """
        import os

        DOWN = {path!r}

        def test_moody():
            assert not os.path.exists(DOWN)

        def test_dies():
            if os.path.exists(DOWN):
                os._exit(3)
        """
    )
    need_module("xdist")
    world.pass_once("-n", "2", plugins=["xdist"])
    ended = world.fail("-n", "2", SUPPRESS, expect=1, plugins=["xdist"])
    assert "exit code stays 1: a worker crashed" in ended.closing


def test_a_worker_that_crashes_after_its_tests_stays(world: World) -> None:
    need_module("xdist")
    world.write()
    conftest = f"""
        import os

        def pytest_sessionfinish(session):
            if hasattr(session.config, "workerinput") and os.path.exists({str(world.down)!r}):
                os._exit(3)
        """
    world.project.write({"conftest.py": conftest})
    world.pass_once("-n", "2", plugins=["xdist"])
    ended = world.fail("-n", "2", SUPPRESS, plugins=["xdist"])
    assert ended.code != 0
    assert "exit code stays" in ended.out


@WORKERS
def test_too_little_coverage_stays(world: World, workers: tuple[str, ...]) -> None:
    need_module("pytest_cov")
    options = ("--cov=lib", "--cov-report=", *workers)
    world.write(**{"lib.py": "def one():\n    return 1\n\ndef two():\n    return 2\n"})
    world.write(MOODY.replace("import os", "import os, lib"))
    how_ = how(workers, "pytest_cov")
    world.pass_once(*options, **how_)
    ended = world.fail(*options, SUPPRESS, "--cov-fail-under=99", expect=1, **how_)
    assert "something besides failing tests made it 1" in ended.closing
    ended = world.fail(*options, SUPPRESS, "--cov-fail-under=10", expect=0, **how_)
    assert ended.closing.endswith(PROVED)


def test_too_many_warnings_stay(world: World) -> None:
    if tuple(map(int, pytest.__version__.split(".")[:2])) < (9, 1):
        pytest.skip("this pytest has no --max-warnings")
    world.write(MOODY.replace("assert 1 + 1 == 2", "import warnings; warnings.warn('oh')"))
    world.pass_once()
    ended = world.fail(SUPPRESS, "--max-warnings=0", expect=1)
    assert "exit code stays 1: there are more warnings than" in ended.closing
    assert world.fail(SUPPRESS, "--max-warnings=1", expect=0).closing.endswith(PROVED)


def test_attempts_that_all_failed(world: World) -> None:
    need_module("pytest_rerunfailures")
    world.write()
    world.pass_once(plugins=["rerunfailures"])
    ended = world.fail("--reruns=1", SUPPRESS, plugins=["rerunfailures"], expect=0)
    assert ended.closing.endswith(PROVED)


@pytest.mark.parametrize(
    "value", ["genuine", "undecided,flaky", "never", "", "genuine,undecided,nothing"]
)
def test_malformed_values_end_pytest(world: World, value: str) -> None:
    world.write()
    ended = world.fail(f"--flakefighters-fail-on={value}", expect=4)
    assert "--flakefighters-fail-on" in ended.err
    assert world.project.files() == ["test_it.py"]


@pytest.mark.parametrize("options", [("--no-summary",), ("-p", "no:terminal")])
def test_it_is_said_where_there_is_no_summary(world: World, options: tuple[str, ...]) -> None:
    world.write()
    world.pass_once()
    ended = world.fail(SUPPRESS, *options, expect=0)
    assert f"flakefighters: {PROVED}" in ended.out + ended.err


def test_polluted_process(world: World) -> None:
    """The verdicts are made in a child process, and count as much."""
    world.write(MOODY + "\n    import time\n    time.time = lambda: 1.0\n")
    world.pass_once()
    assert world.fail(SUPPRESS, expect=0).closing.endswith(PROVED)


def test_no_module_of_it_without_the_option(world: World) -> None:
    world.write(
        MOODY
        + """
    def test_modules():
        import sys
        assert not [name for name in sys.modules if "flakefighters.session.exit" in name]
    """
    )
    world.pass_once()
