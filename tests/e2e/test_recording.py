"""Every outcome of every phase is recorded as what it is."""

from __future__ import annotations

import pytest

from flakefighters.model import Completeness, Outcome, Phase, Run
from tests.e2e.project import Project, outcomes
from tests.requirements import need_module

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
SKIPPED, XFAILED, XPASSED = Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED


def phases(run: Run, name: str) -> list[tuple[Phase, str | None, str | None]]:
    """(phase, subtest, exception) of the failures of the one execution of a test."""
    (mine,) = [one for one in run.executions if one.nodeid.endswith(f"::{name}")]
    return [(one.phase, one.subtest, one.exception) for one in mine.failures]


def reason(run: Run, name: str) -> str | None:
    (mine,) = [one for one in run.executions if one.nodeid.endswith(f"::{name}")]
    return mine.reason


def by_name(run: Run) -> dict[str, Outcome]:
    return {nodeid.partition("::")[2]: outcome for nodeid, outcome in outcomes(run).items()}


def test_functions(project: Project) -> None:
    project.test(
        """
        import time
        import pytest

        class OddError(Exception):
            pass

        @pytest.fixture
        def bad_setup():
            raise OddError("setup")

        @pytest.fixture
        def bad_teardown():
            yield
            raise OddError("teardown")

        @pytest.fixture
        def skipping():
            pytest.skip("no server")

        @pytest.fixture
        def slow():
            time.sleep(0.02)
            yield
            time.sleep(0.02)

        def test_pass(slow): time.sleep(0.03)
        def test_fail(): assert 1 == 2
        def test_setup(bad_setup): pass
        def test_teardown(bad_teardown): pass
        def test_both(bad_teardown): assert 0
        def test_skip(): pytest.skip("because")
        def test_skip_setup(skipping): pass
        def test_skip_then_error(bad_teardown): pytest.skip("because")
        @pytest.mark.skipif(True, reason="never here")
        def test_skip_mark(): pass
        @pytest.mark.xfail(reason="known")
        def test_xfail(): assert 0
        @pytest.mark.xfail(reason="known")
        def test_xfail_teardown(bad_teardown): assert 0
        @pytest.mark.xfail(reason="known")
        def test_xpass(): pass
        @pytest.mark.xfail(reason="known", strict=True)
        def test_strict(): pass
        @pytest.mark.xfail(raises=KeyError)
        def test_other_error(): raise OddError("not a KeyError")
        @pytest.mark.xfail(run=False, reason="hangs")
        def test_not_even_run(): assert 0
        def test_xfail_inside(): pytest.xfail("seen late")
        def test_pytest_fail(): pytest.fail("said so", pytrace=False)
        """
    )
    ended = project.pytest("--color=no", expect=1)
    run = project.run()
    assert by_name(run) == {
        "test_pass": PASSED,
        "test_fail": FAILED,
        "test_setup": ERROR,
        "test_teardown": ERROR,
        "test_both": FAILED,
        "test_skip": SKIPPED,
        "test_skip_setup": SKIPPED,
        "test_skip_then_error": ERROR,
        "test_skip_mark": SKIPPED,
        "test_xfail": XFAILED,
        "test_xfail_teardown": XFAILED,
        "test_xpass": XPASSED,
        "test_strict": FAILED,
        "test_other_error": FAILED,
        "test_not_even_run": XFAILED,
        "test_xfail_inside": XFAILED,
        "test_pytest_fail": FAILED,
    }
    odd = "test_it.OddError"
    assert phases(run, "test_fail") == [(Phase.CALL, None, "AssertionError")]
    assert phases(run, "test_setup") == [(Phase.SETUP, None, odd)]
    assert phases(run, "test_teardown") == [(Phase.TEARDOWN, None, odd)]
    assert phases(run, "test_both") == [
        (Phase.CALL, None, "AssertionError"),
        (Phase.TEARDOWN, None, odd),
    ]
    assert phases(run, "test_strict") == [(Phase.CALL, None, None)]
    assert phases(run, "test_pytest_fail")[0][2] is not None
    assert reason(run, "test_skip") == "because"
    assert reason(run, "test_skip_setup") == "no server"
    assert reason(run, "test_skip_mark") == "never here"
    assert reason(run, "test_xfail") == "known"
    assert reason(run, "test_xfail_inside") == "seen late"
    # Executions are kept only for what is not "one attempt, passed".
    assert "test_it.py::test_pass" not in [one.nodeid for one in run.executions]
    setup, call, teardown = run.durations[:3]
    assert 200 <= setup < 5000, "in units of 100 µs"
    assert 300 <= call < 5000
    assert 200 <= teardown < 5000
    assert run.head.completeness is Completeness.COMPLETE
    assert run.order is None
    # One line for each failing report, label first.
    assert len(ended.verdicts) == 9
    assert all(label == "UNDECIDED" for label, _ in ended.verdicts)
    assert ended.verdicts[0][1].startswith("test_it.py::test_fail - ")
    assert any(" - in teardown: " in rest for _, rest in ended.verdicts)
    assert ended.closing.startswith("9 undecided; run ")


def test_subtests(project: Project) -> None:
    if int(pytest.__version__.partition(".")[0]) < 9:
        need_module("pytest_subtests")
        plugins = ["subtests"]
    else:
        plugins = []
    project.test(
        """
        def test_some(subtests):
            for i in range(3):
                with subtests.test("number", i=i):
                    assert i != 1

        def test_good(subtests):
            with subtests.test("fine"):
                pass

        def test_and_itself(subtests):
            with subtests.test():
                assert 0
            assert "later" == ""
        """
    )
    ended = project.pytest("--color=no", plugins=plugins, expect=1)
    run = project.run()
    assert by_name(run) == {"test_some": FAILED, "test_good": PASSED, "test_and_itself": FAILED}
    assert phases(run, "test_some")[0] == (Phase.CALL, "[number] (i=1)", "AssertionError")
    assert phases(run, "test_and_itself")[0] == (Phase.CALL, "(<subtest>)", "AssertionError")
    assert phases(run, "test_and_itself")[1][1] is None
    assert "test_some - subtest [number] (i=1): " in ended.verdicts[0][1]


def test_unittest(project: Project) -> None:
    project.test(
        """
        import unittest

        class TestIt(unittest.TestCase):
            def test_pass(self): pass
            def test_fail(self): self.assertEqual(1, 2)
            def test_error(self): raise KeyError("x")
            @unittest.expectedFailure
            def test_expected(self): self.fail()
            @unittest.expectedFailure
            def test_unexpected(self): pass
            @unittest.skip("later")
            def test_skipped(self): pass
            def test_subs(self):
                for i in range(3):
                    with self.subTest(i=i):
                        self.assertNotEqual(i, 1)

        class TestSetUp(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise OSError("no")
            def test_one(self): pass
            def test_two(self): pass

        class TestTearDown(unittest.TestCase):
            def tearDown(self): raise OSError("no")
            def test_it(self): pass

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            async def test_it(self): assert 0
        """
    )
    plugins = []
    if int(pytest.__version__.partition(".")[0]) < 9:
        need_module("pytest_subtests")
        plugins = ["subtests"]
    project.pytest(plugins=plugins, expect=1)
    run = project.run()
    assert by_name(run) == {
        "TestIt::test_pass": PASSED,
        "TestIt::test_fail": FAILED,
        "TestIt::test_error": FAILED,
        "TestIt::test_expected": XFAILED,
        "TestIt::test_unexpected": FAILED,
        "TestIt::test_skipped": SKIPPED,
        "TestIt::test_subs": FAILED,
        "TestSetUp::test_one": ERROR,
        "TestSetUp::test_two": ERROR,
        "TestTearDown::test_it": FAILED,
        "TestAsync::test_it": FAILED,
    }
    assert reason(run, "test_skipped") == "later"
    assert phases(run, "test_subs")[0] == (Phase.CALL, "(i=1)", "AssertionError")
    assert phases(run, "TestSetUp::test_one") == [(Phase.SETUP, None, "OSError")]


def test_doctests_and_items_without_a_line(project: Project) -> None:
    project.write(
        {
            "shop.py": '''
                def tax():
                    """
                    >>> tax()
                    20
                    """
                    return 19
                ''',
            "README.rst": ">>> 1 + 1\n2\n",
            "conftest.py": """
                import pytest

                class Case(pytest.Item):
                    def runtest(self):
                        assert self.name != "bad"
                    def reportinfo(self):
                        return self.path, None, self.name
                    def repr_failure(self, excinfo):
                        return "it is bad"

                class Bare(pytest.Item):
                    def runtest(self):
                        raise ValueError("bare")

                class Cases(pytest.File):
                    def collect(self):
                        for name in self.path.read_text().split():
                            kind = Bare if name == "bare" else Case
                            yield kind.from_parent(self, name=name)

                def pytest_collect_file(parent, file_path):
                    if file_path.suffix == ".cases":
                        return Cases.from_parent(parent, path=file_path)
                """,
            "some.cases": "good bad bare",
        }
    )
    project.pytest("--doctest-modules", "--doctest-glob=*.rst", expect=1)
    run = project.run()
    assert outcomes(run) == {
        "shop.py::shop.tax": FAILED,
        "README.rst::README.rst": PASSED,
        "some.cases::good": PASSED,
        "some.cases::bad": FAILED,
        "some.cases::bare": FAILED,
    }
    (bad,) = project.attempts("some.cases::bad")
    assert bad.failures[0].text == "it is bad"


def test_ids_of_any_spelling(project: Project) -> None:
    project.write(
        {
            "pytest.ini": """
                [pytest]
                disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true
                """,
            "test_it.py": r"""
                import pytest

                IDS = ["é ü", "a::b", "[x]", "two\nlines", "x" * 5000, "tab\t", "\x1b[31m", "",
                       "\udc80", "-", "a/../b", "☃ \u202e"]

                @pytest.mark.parametrize("value", range(len(IDS)), ids=IDS)
                def test_id(value):
                    assert value % 2

                def test_añ(): assert 0
                """,
        }
    )
    # pytest's own cache cannot write a name that is no text.
    ended = project.pytest("--color=no", "-p", "no:cacheprovider", expect=1)
    run = project.run()
    assert len(run.suite) == 13
    assert run.outcomes == "F." * 6 + "F"
    assert run.suite[2] == "test_it.py::test_id[[x]]"
    assert run.suite[3] == "test_it.py::test_id[two\nlines]"
    assert run.suite[4] == f"test_it.py::test_id[{'x' * 5000}]"
    assert run.suite[8] == "test_it.py::test_id[\udc80]"
    assert run.suite[12] == "test_it.py::test_añ"
    assert len(run.executions) == 7
    lines = [line for line in ended.ours if line.startswith("UNDECIDED")]
    assert len(lines) == 7, "one line per failure, whatever its node id"
    assert "\x1b" not in "".join(ended.ours)


def test_folders(project: Project) -> None:
    """Paths are relative to git's top level; what pytest prints stays pytest's."""
    project.init(project.root.parent)
    project.write(
        {
            "pytest.ini": "[pytest]\n",
            "unit/test_a.py": "def test_a(): assert 0\n",
            "../elsewhere/test_b.py": "def test_b(): assert 0\n",
        }
    )
    project.commit()
    ended = project.pytest(
        "--color=no", "--rootdir=.", "-c", "pytest.ini", "../elsewhere", "unit", expect=1
    )
    run = project.run()
    assert sorted(run.suite) == ["elsewhere/test_b.py::test_b", "project/unit/test_a.py::test_a"]
    assert {rest.partition(" ")[0] for _, rest in ended.verdicts} == {
        "unit/test_a.py::test_a",
        "test_b.py::test_b",  # as pytest itself calls it
    }
    assert run.head.commit == project.git("rev-parse", "HEAD")
    assert run.head.tree == project.git("rev-parse", "HEAD^{tree}")
    assert run.head.branch == "main"
    assert run.head.dirty is False
    text = run.executions[0].failures[0].text
    assert str(project.root.parent) not in text, "paths are relative"
    # From within a sub-folder the same project, and the same names.
    project.pytest("--color=no", cwd=project.root / "unit", expect=1)
    assert list(project.run().suite) == ["project/unit/test_a.py::test_a"]
    assert len(project.runs()) == 2


def test_the_same_test_asked_for_twice(project: Project) -> None:
    project.test("def test_it(): pass\n")
    project.pytest("--keep-duplicates", "test_it.py", "test_it.py", expect=0)
    assert project.outcomes() == {"test_it.py::test_it": PASSED}


def test_selection(project: Project) -> None:
    project.test("def test_a(): pass\ndef test_b(): pass\n")
    project.pytest("-k", "test_a", expect=0)
    project.pytest("test_it.py::test_b", expect=0)
    project.pytest(expect=0)
    whole, one, keyword = project.runs()
    assert whole.head.selection == {}
    assert one.head.selection == {"arguments": ["test_it.py::test_b"]}
    assert keyword.head.selection == {"-k": "test_a", "deselected": 1}
    assert list(keyword.suite) == ["test_it.py::test_a"]
    # Nothing to do, nothing recorded.
    project.pytest("-k", "nothing", expect=5)
    assert len(project.runs()) == 3
    assert project.spool == []


def test_output_of_failing_tests_if_asked_for(project: Project) -> None:
    """Of the attempt that failed, from all its phases; nothing of tests that pass."""
    project.test(
        """
        import logging, sys, pytest

        @pytest.fixture
        def thing():
            print("set up")
            yield
            print("torn down", file=sys.stderr)

        def test_a(thing):
            print("tried")
            logging.warning("careful")
            assert 0

        def test_b():
            print("fine")

        @pytest.mark.xfail
        def test_c():
            print("expected")
            assert 0
        """
    )
    project.pytest(expect=1)
    env = {"FLAKEFIGHTERS_PROFILES__LOCAL__STORE_OUTPUT": "failures"}
    project.pytest(expect=1, env=env)
    without, kept = sorted(project.runs(), key=lambda run: run.head.started)
    assert not any(one.output for one in without.executions)
    (output,) = [one.output for one in kept.executions if one.output]
    titles = [text for text in output.splitlines() if text.startswith("---")]
    assert titles == [
        "--- Captured stdout setup ---",
        "--- Captured stdout call ---",
        "--- Captured log call ---",
        "--- Captured stderr teardown ---",
    ]
    assert "tried" in output
    shown = project.flakefighters("show", kept.head.id, "--tracebacks")
    assert "torn down" in shown.stdout
