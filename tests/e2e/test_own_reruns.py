"""Our own reruns: which tests are run again, what stands between attempts, and what is shown."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence

import pytest

from flakefighters.model import Outcome
from tests.e2e.project import Ended, Project
from tests.requirements import need_module

#: Counts calls over attempts and processes.
TIMES = """
    import pathlib
    import pytest

    def times(name):
        with open(name, "a") as file:
            file.write("x")
        return len(pathlib.Path(name).read_text())
    """
PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
WAYS = pytest.mark.parametrize("xdist", [False, True], ids=["plain", "xdist"])


def subtests() -> list[str]:
    """The plugin that brings subtests, if pytest itself has none."""
    if importlib.util.find_spec("_pytest.subtests") is not None:
        return []
    need_module("pytest_subtests")
    return ["pytest_subtests.plugin"]


def write(project: Project, test: str, conftest: str = "") -> None:
    project.write({"times.py": TIMES, "conftest.py": conftest})
    start = "" if test.startswith("\n") else "\n    "
    project.write({"test_it.py": f"    from times import *\n{start}{test}"})


def again(
    project: Project, *args: str, xdist: bool = False, plugins: Sequence[str] = (), **how: object
) -> tuple[str, dict[str, list[Outcome]], Ended]:
    """Pytest's closing counts, the attempts of each test that has several or failed, the run."""
    if xdist:
        need_module("xdist")
        args, plugins = (*args, "-n2"), (*plugins, "xdist")
    options = ["--color=no", "-p", "no:cacheprovider", *args]
    ended = project.pytest(*options, plugins=plugins, **how)  # type: ignore[arg-type]
    found: dict[str, list[Outcome]] = {}
    for one in project.run().executions:
        found.setdefault(one.nodeid.removeprefix("test_it.py::"), []).append(one.outcome)
    counts = re.findall(r"^(?:=+ )?(\d.*) in [\d.]+s", ended.out, re.MULTILINE)[-1]
    return counts, found, ended


def events(project: Project) -> list[str]:
    return (project.root / "events").read_text().split()


FAILING = """
    def test_shaky(): assert times("shaky") == 3
    def test_broken(): assert 0
    def test_fine(): pass
    @pytest.mark.parametrize("n", [1, 2])
    def test_parameters(n): assert times(f"n{n}") == n

    @pytest.fixture
    def shaky_setup(): assert times("setup") == 2
    def test_setup(shaky_setup): pass

    @pytest.fixture
    def shaky_end():
        yield
        assert times("end") == 2
    def test_end(shaky_end): pass

    @pytest.fixture
    def broken_end():
        yield
        assert 0
    def test_both(broken_end): assert 0

    @pytest.mark.xfail
    def test_expected(): assert 0
    @pytest.mark.xfail(strict=True)
    def test_strict(): pass
    @pytest.mark.skip
    def test_skipped(): pass
    """


@WAYS
def test_failed(project: Project, xdist: bool) -> None:
    write(project, FAILING)
    counts, found, ended = again(project, "--flakefighters-reruns=2", xdist=xdist, expect=1)
    assert counts == "3 failed, 6 passed, 1 skipped, 1 xfailed, 1 error, 9 rerun"
    assert found["test_shaky"] == [FAILED, FAILED, PASSED]
    assert found["test_broken"] == found["test_both"] == [FAILED] * 3
    assert found["test_parameters[2]"] == [FAILED, PASSED]
    assert found["test_setup"] == found["test_end"] == [ERROR, PASSED]
    assert found["test_strict"] == [FAILED]
    assert found["test_expected"] == [Outcome.XFAILED]
    assert not {"test_fine", "test_parameters[1]"} & found.keys()
    assert project.outcomes()["test_it.py::test_shaky"] is Outcome.MIXED
    said = [f"{label} {rest.removeprefix('test_it.py::')}" for label, rest in ended.verdicts]
    assert "FLAKY test_shaky - passed in attempt 3 of this run, failed in 2" in said
    end = "FLAKY test_end - in teardown: passed in attempt 2 of this run, failed in 1"
    assert end in said


def test_the_last_attempt_decides(project: Project) -> None:
    write(project, 'def test_shaky(): assert times("shaky") == 2\n    def test_fine(): pass')
    counts, _, ended = again(project, "--flakefighters-reruns=1", "-x", expect=0)
    assert counts == "2 passed, 1 rerun"
    assert "test_it.py R.." in ended.out
    assert ended.closing.startswith("1 flaky; run ")


@pytest.mark.parametrize("stop", ["-x", "--maxfail=2"])
@WAYS
def test_reruns_count_for_no_limit(project: Project, stop: str, xdist: bool) -> None:
    write(project, 'def test_shaky(): assert times("shaky") == 5\n    def test_broken(): assert 0')
    _, found, _ = again(project, "--flakefighters-reruns=9", stop, xdist=xdist)
    assert found["test_shaky"] == [*([FAILED] * 4), PASSED]
    assert found["test_broken"] == [FAILED] * 10


def test_off_without_the_option(project: Project) -> None:
    write(project, FAILING)
    counts, _, _ = again(project, expect=1)
    assert "rerun" not in counts
    counts, _, _ = again(project, "--flakefighters-reruns=0", expect=1)
    assert "rerun" not in counts


def test_off_with_a_debugger(project: Project) -> None:
    write(project, "def test_broken(): assert 0")
    counts, _, _ = again(project, "--flakefighters-reruns=2", "--pdb", expect=2)
    assert counts == "1 failed"


def test_an_interrupt_passes_through(project: Project) -> None:
    write(
        project,
        """
    def test_it():
        if times("it") == 2: raise KeyboardInterrupt
        assert 0
    def test_never(): pass
    """,
    )
    _, found, _ = again(project, "--flakefighters-reruns=5", expect=2)
    assert [one for one in found["test_it"] if one is FAILED] == [FAILED]


def test_each_attempt_is_watched(project: Project) -> None:
    """A failure that stays is judged by what its last attempt ran."""
    project.init()
    project.write({"rate.py": "def rate():\n    return 1\n"})
    write(project, "import rate\n    def test_it(): assert rate.rate() == 1")
    project.commit()
    again(project, expect=0)
    project.write({"rate.py": "def rate():\n    return 2\n"})
    _, found, ended = again(project, "--flakefighters-reruns=2", expect=1)
    assert found["test_it"] == [FAILED] * 3
    ((label, reason),) = ended.verdicts
    assert label == "GENUINE"
    watched = sys.version_info >= (3, 12)
    assert ("ran rate() in rate.py" if watched else "rate.py") in reason


# -- fixtures --------------------------------------------------------------------------------

SCOPES = """
    import pytest
    from times import times

    def say(event):
        with open("events", "a") as file:
            file.write(event + "\\n")

    def made(scope):
        @pytest.fixture(scope=scope, autouse=True, name=f"a_{scope}")
        def fixture():
            say(f"{scope}+")
            yield
            say(f"{scope}-")
        return fixture

    session, module, class_, function = map(made, ("session", "module", "class", "function"))
    """
SHAKY_IN = {
    "call": 'def test_it(self): assert times("it") == 3',
    "setup": "def test_it(self, in_setup): pass",
    "teardown": "def test_it(self, in_teardown): pass",
    "subtest": """def test_it(self, subtests):
            with subtests.test(): assert times("it") == 3""",
}


@pytest.mark.parametrize("where", SHAKY_IN)
@pytest.mark.parametrize("last", [True, False], ids=["last", "first"])
def test_wider_fixtures_are_left_alone(project: Project, where: str, last: bool) -> None:
    """Also if nothing of their scope follows the test that is run again."""
    plugins = subtests() if where == "subtest" else []
    other = "def test_other(self): pass"
    tests = [other, SHAKY_IN[where]] if last else [SHAKY_IN[where], other]
    write(
        project,
        f"""
    @pytest.fixture
    def in_setup(): assert times("it") == 3
    @pytest.fixture
    def in_teardown():
        yield
        assert times("it") == 3
    class TestIt:
        {tests[0]}
        {tests[1]}
    """,
        SCOPES,
    )
    counts, _, _ = again(project, "--flakefighters-reruns=2", plugins=plugins, expect=0)
    assert counts.startswith("2 passed")
    assert counts.endswith("2 rerun")
    attempts = ["function+", "function-"] * 4
    around = ["session+", "module+", "class+"]
    assert events(project) == [*around, *attempts, "class-", "module-", "session-"]


@WAYS
def test_wider_fixtures_between_modules(project: Project, xdist: bool) -> None:
    """What a failed test leaves to its next attempt is torn down before the next module."""
    body = "from times import times\ndef test_{0}(): assert times('{0}') == 2\n"
    write(project, "def test_it(): assert 0", SCOPES)
    project.write({f"test_{name}.py": body.format(name) for name in "ab"})
    more = ("--dist=loadfile",) if xdist else ()
    counts, _, _ = again(project, "--flakefighters-reruns=1", *more, xdist=xdist, expect=1)
    assert counts == "1 failed, 2 passed, 3 rerun"
    found = events(project)
    assert found.count("module+") == found.count("module-") == 3
    assert found.count("function+") == found.count("function-") == 6
    assert found.count("session+") == found.count("session-") <= 2


def test_teardown_errors_that_stay(project: Project) -> None:
    """The last attempt's teardown goes on to the wider fixtures, and tells all errors."""
    write(
        project,
        """
    @pytest.fixture(scope="module")
    def wide():
        yield
        raise OSError("wide")
    @pytest.fixture
    def own(wide):
        yield
        raise ValueError("own")
    def test_it(own): pass
    """,
        SCOPES,
    )
    counts, found, ended = again(project, "--flakefighters-reruns=1", expect=1)
    assert counts == "1 passed, 1 error, 1 rerun"
    assert found["test_it"] == [ERROR, ERROR]
    assert events(project)[-3:] == ["class-", "module-", "session-"]
    out = ended.out
    assert "ValueError: own" in out
    assert "OSError: wide" in out


@pytest.mark.parametrize("recovers", [True, False])
def test_a_wider_fixture_that_fails(project: Project, recovers: bool) -> None:
    """It is set up anew as often as a test may be run again, and cleaned up each time."""
    write(
        project,
        f"""
    @pytest.fixture(scope="session")
    def service(request):
        request.addfinalizer(lambda: times("closed"))
        assert times("opened") == {3 if recovers else 99}

    @pytest.mark.parametrize("n", range(4))
    def test_it(n, service): pass
    """,
    )
    counts, _, _ = again(project, "--flakefighters-reruns=2", expect=0 if recovers else 1)
    assert counts == ("4 passed, 2 rerun" if recovers else "4 errors, 2 rerun")
    for name in ("opened", "closed"):
        assert len((project.root / name).read_text()) == 3


def test_setup_of_classes(project: Project) -> None:
    write(
        project,
        """
    import unittest
    class TestPlain:
        @classmethod
        def setup_class(cls): times("class")
        def test_it(self): assert times("plain") == 3
    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls): times("unit_class")
        @classmethod
        def tearDownClass(cls): times("unit_class_end")
        def setUp(self): self.seen = times("set_up")
        def tearDown(self): assert times("tear_down") == 2
        def test_it(self): assert self.seen == 2
    class TestShaky(unittest.TestCase):
        @classmethod
        def setUpClass(cls): assert times("shaky_class") == 2
        def test_it(self): pass
    """,
    )
    counts, found, _ = again(project, "--flakefighters-reruns=2", expect=0)
    assert counts == "3 passed, 4 rerun"
    assert found["TestUnit::test_it"] == [FAILED, PASSED]
    for name in ("class", "unit_class", "unit_class_end"):
        assert len((project.root / name).read_text()) == 1


# -- kinds of tests --------------------------------------------------------------------------


def test_nothing_is_left_of_an_attempt(project: Project) -> None:
    """A new instance, new properties, and the output of the last attempt alone."""
    write(
        project,
        """
    class TestIt:
        seen = 0
        def test_it(self, record_property, tmp_path, monkeypatch):
            self.seen += 1
            assert self.seen == 1, "the same instance"
            record_property("attempt", times("it"))
            print("this is attempt", times("print"))
            assert list(tmp_path.iterdir()) == []
            (tmp_path / "file").touch()
            assert 0
    """,
    )
    _, found, ended = again(project, "--flakefighters-reruns=2", "--junitxml=out.xml", expect=1)
    assert found["TestIt::test_it"] == [FAILED] * 3
    assert re.findall("this is attempt .", ended.out) == ["this is attempt 3"]
    xml = (project.root / "out.xml").read_text()
    assert 'name="attempt" value="3"' in xml
    assert 'name="attempt" value="1"' not in xml.rpartition("<testcase")[2]


@WAYS
def test_subtests(project: Project, xdist: bool) -> None:
    plugins = subtests()
    write(
        project,
        """
    import unittest
    def test_shaky(subtests):
        with subtests.test("fine"): pass
        with subtests.test("shaky"): assert times("shaky") == 2
    def test_broken(subtests):
        with subtests.test("broken"): assert 0
    class TestUnit(unittest.TestCase):
        def test_shaky(self):
            for n in range(2):
                with self.subTest(n=n): self.assertTrue(n or times("unit") == 2)
    """,
    )
    arguments = ("--flakefighters-reruns=1", "-v")
    counts, found, _ = again(project, *arguments, xdist=xdist, plugins=plugins, expect=1)
    # pytest-subtests does not fail a test for its subtests.
    ends = "1 failed, 3 passed" if plugins else "2 failed, 2 passed"
    assert counts == f"{ends}, 4 subtests passed, 3 rerun"
    assert found["test_shaky"] == found["TestUnit::test_shaky"] == [FAILED, PASSED]
    assert found["test_broken"] == [FAILED, FAILED]


def test_property_tests(project: Project) -> None:
    """hypothesis refuses to run a method of another instance."""
    need_module("hypothesis")
    write(
        project,
        """
    import unittest
    from hypothesis import given, strategies as st
    class TestPlain:
        @given(st.integers())
        def test_it(self, n): assert times("plain") > 30
        @pytest.mark.parametrize("m", [1, 2])
        @given(st.integers())
        def test_both(self, m, n): assert times(f"both{m}") > 30
    class TestUnit(unittest.TestCase):
        @given(st.integers())
        def test_it(self, n): assert times("unit") > 30
    """,
    )
    plugins = ["_hypothesis_pytestplugin"]
    counts, _, ended = again(project, "--flakefighters-reruns=30", plugins=plugins, expect=0)
    assert counts.startswith("4 passed, ")
    assert "FailedHealthCheck" not in ended.out


def test_asynchronous_tests(project: Project) -> None:
    need_module("pytest_asyncio")
    write(
        project,
        """
    import asyncio
    import unittest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def own():
        times("own")
        yield
        times("own_end")

    @pytest.mark.asyncio
    async def test_it(own):
        await asyncio.sleep(0)
        assert times("it") == 3
    class TestClass:
        @pytest.mark.asyncio
        async def test_it(self, own): assert times("class") == 2
    class TestUnit(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self): times("set_up")
        async def test_it(self): assert times("unit") == 2
    """,
    )
    counts, _, _ = again(
        project, "--flakefighters-reruns=2", plugins=["pytest_asyncio.plugin"], expect=0
    )
    assert counts == "3 passed, 4 rerun"
    assert len((project.root / "own_end").read_text()) == 5
    assert len((project.root / "set_up").read_text()) == 2


def test_doctests(project: Project) -> None:
    """doctest empties an example's names after it has run."""
    write(
        project,
        '''
    def shaky():
        """
        >>> times("doc") == 2
        True
        """
    ''',
    )
    project.write({"text.txt": ">>> from times import times\n>>> times('text')\n2\n"})
    options = ("--doctest-modules", "--doctest-glob=*.txt")
    counts, _, _ = again(project, "--flakefighters-reruns=1", *options, expect=0)
    assert counts == "2 passed, 2 rerun"


def test_names_of_an_attempt_at_a_doctest_are_gone_in_the_next(project: Project) -> None:
    """doctest leaves them where an example raises, and pytest has it raise where one fails."""
    project.write({"text.txt": ">>> n = globals().get('n', 0) + 1\n>>> n\n2\n"})
    options = ("--flakefighters-reruns=2", "--doctest-glob=*.txt")
    counts, _, _ = again(project, *options, expect=1)
    assert counts == "1 failed, 2 rerun"


# -- other plugins ---------------------------------------------------------------------------


def test_a_timer_for_each_attempt(project: Project) -> None:
    need_module("pytest_timeout")
    write(
        project,
        """
    import time
    def test_slow():
        time.sleep(0.7)
        assert times("slow") == 3
    def test_stuck():
        if times("stuck") == 1: time.sleep(9)
    """,
    )
    arguments = ("--flakefighters-reruns=2", "--timeout=1.5")
    counts, _, _ = again(project, *arguments, plugins=["pytest_timeout"], expect=0)
    assert counts == "2 passed, 3 rerun"


@pytest.mark.parametrize(
    ("plugin", "module", "options", "mark"),
    [
        ("rerunfailures", "pytest_rerunfailures", ("--reruns=1",), ""),
        ("rerunfailures", "pytest_rerunfailures", (), "@pytest.mark.flaky(reruns=1)"),
        ("flaky", "flaky", ("--no-flaky-report",), "@__import__('flaky').flaky"),
        ("flaky", "flaky", ("--no-flaky-report", "--force-flaky", "--max-runs=2"), ""),
        ("pytest_retry.retry_plugin", "pytest_retry", ("--retries=1",), ""),
        ("pytest_retry.retry_plugin", "pytest_retry", (), "@pytest.mark.flaky(retries=1)"),
    ],
    ids=lambda one: one if isinstance(one, str) and one.isalnum() else "",
)
def test_tests_of_other_plugins(
    project: Project, plugin: str, module: str, options: Sequence[str], mark: str
) -> None:
    """They run the tests that are theirs again; others are ours."""
    need_module(module)
    write(
        project,
        f"""
    {mark}
    def test_theirs(): times("theirs"); assert 0
    """,
    )
    project.write(
        {"test_ours.py": "from times import times\ndef test_ours(): times('ours'); assert 0\n"}
    )
    _, found, _ = again(project, "--flakefighters-reruns=3", *options, plugins=[plugin], expect=1)
    assert len((project.root / "theirs").read_text()) == 2
    assert len(found["test_theirs"]) == 2
    assert len((project.root / "ours").read_text()) == (4 if mark else 2)


def test_a_protocol_of_the_project(project: Project) -> None:
    """A conftest file that runs tests itself goes on doing so, once for each attempt."""
    write(
        project,
        'def test_it(): assert times("it") == 2',
        """
    from _pytest.runner import runtestprotocol
    from times import times

    def pytest_runtest_protocol(item, nextitem):
        times("protocol")
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        runtestprotocol(item, nextitem=nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
    """,
    )
    counts, _, _ = again(project, "--flakefighters-reruns=3", expect=0)
    assert counts == "1 passed, 1 rerun"
    assert len((project.root / "protocol").read_text()) == 2


@pytest.mark.skipif(pytest.version_tuple >= (9,), reason="pytest-forked fails with it")
def test_forked_tests(project: Project) -> None:
    need_module("pytest_forked")
    write(project, 'def test_it(): assert times("it") == 3')
    arguments = ("--flakefighters-reruns=2", "--forked")
    counts, found, _ = again(project, *arguments, plugins=["pytest_forked"], expect=0)
    assert counts == "1 passed, 2 rerun"
    assert found["test_it"] == [FAILED, FAILED, PASSED]


# -- strategies ------------------------------------------------------------------------------


@WAYS
def test_previously_flaky(project: Project, xdist: bool) -> None:
    write(
        project,
        """
    import os
    def test_shaky(): assert times("shaky") in (2, 4)
    def test_broken(): assert not os.environ.get("BROKEN")
    """,
    )
    strategy = "--flakefighters-rerun-strategy=previously-flaky"
    counts, _, _ = again(project, strategy, expect=1)
    assert counts == "1 failed, 1 passed"
    (project.root / "shaky").unlink()
    again(project, "--flakefighters-reruns=1", expect=0)  # judged flaky
    counts, found, _ = again(project, strategy, xdist=xdist, env={"BROKEN": "1"}, expect=1)
    assert counts == "1 failed, 1 passed, 1 rerun"
    assert found["test_shaky"] == [FAILED, PASSED]
    assert found["test_broken"] == [FAILED]


@WAYS
def test_flaky(project: Project, xdist: bool) -> None:
    """What passed on this state, or was flaky before."""
    project.init()
    project.write({".git/info/exclude": "*\n!*.py\n__pycache__\n"})
    write(project, "def test_it(): assert times('it') != 2\n    def test_old(): assert 0")
    project.commit()
    again(project, expect=1)
    strategy = "--flakefighters-rerun-strategy=flaky"
    counts, found, _ = again(project, strategy, xdist=xdist, expect=1)
    assert counts == "1 failed, 1 passed, 1 rerun"
    assert found["test_it"] == [FAILED, PASSED]
    assert found["test_old"] == [FAILED]


NEW = """
    def test_known(): times("known")
    """


@WAYS
def test_new(project: Project, xdist: bool) -> None:
    strategy = "--flakefighters-rerun-strategy=new"
    write(project, NEW)
    counts, _, _ = again(project, strategy, expect=0)
    assert counts == "1 passed"  # without any known run nothing is new
    more = """
    @pytest.mark.parametrize("n", range(3))
    def test_fine(n): times("fine")
    def test_shaky(): assert times("shaky") != 4
    def test_broken(): times("broken"); assert 0
    @pytest.mark.xfail
    def test_expected(): times("expected")
    """
    write(project, NEW + more)
    counts, found, ended = again(project, strategy, xdist=xdist, expect=1)
    assert found["test_shaky"] == [PASSED, PASSED, PASSED, FAILED]
    assert found["test_broken"] == [FAILED]
    repeated = [one for one in found.values() if one == [PASSED] * 10]
    stand_in = 2 if xdist and len(repeated) == 2 else 1  # each worker has its own
    assert len(repeated) == stand_in
    assert counts == f"2 failed, 4 passed, 1 xpassed, {3 + 9 * stand_in} rerun"
    lengths = {name: len((project.root / name).read_text()) for name in ("known", "expected")}
    assert lengths == {"known": 2, "expected": 1}
    said = [rest for label, rest in ended.verdicts if label == "FLAKY"]
    assert said == ["test_it.py::test_shaky - passed in attempt 1 of this run, failed in 4"]
    counts, _, _ = again(project, strategy, xdist=xdist, expect=1)
    assert "rerun" not in counts  # all are known by now


def test_new_with_a_limit(project: Project) -> None:
    write(project, NEW)
    again(project)
    write(project, NEW + "def test_fine(): pass")
    arguments = ("--flakefighters-rerun-strategy=new", "--flakefighters-reruns=2")
    counts, found, _ = again(project, *arguments, expect=0)
    assert counts == "2 passed, 2 rerun"
    assert found["test_fine"] == [PASSED] * 3


# -- caps ------------------------------------------------------------------------------------


@WAYS
def test_the_cap_in_time(project: Project, xdist: bool) -> None:
    cap = "import flakefighters.session.attempts as attempts\nattempts.SECONDS = 0.0\n"
    write(project, "def test_broken(): assert 0", cap)
    counts, _, ended = again(project, "--flakefighters-reruns=2", xdist=xdist, expect=1)
    assert counts == "1 failed"
    (warning,) = ended.warnings
    assert warning.startswith("1 test not run again: ")


def test_malformed(project: Project) -> None:
    project.test("def test_it(): pass")
    for option in ("--flakefighters-reruns=-1", "--flakefighters-rerun-strategy=all"):
        ended = project.pytest(option, expect=4)
        assert option.partition("=")[0] in ended.err
