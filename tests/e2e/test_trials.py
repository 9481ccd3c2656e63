"""Failures on trial after the session: every row of the table, and what could go wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

import pytest

from flakefighters.model import Verdict, standing
from tests.e2e.project import Ended, Project

CONFIRM = "--flakefighters-confirm=all"
SHOP = {
    "shop/__init__.py": "",
    "shop/tax.py": "def tax(net):\n    return net * 2\n",
    "shop/text.py": "def title(text):\n    return text.title()\n",
    "conftest.py": "",
}
TAX = "from shop.tax import tax\n\ndef test_tax():\n    assert tax(2) == 4\n"
TEXT = "from shop.text import title\n\ndef test_title():\n    assert title('a') == 'A'\n"
#: A change that no test of these stories touches.
HARMLESS = {"shop/text.py": "def title(text):\n    return text.upper()\n"}
SHAKY = """
    import os
    from pathlib import Path

    def test_beside():
        assert True

    def test_shaky():
        place = Path(os.environ["PLACE"])
        seen = int(place.read_text() or 0) if place.exists() else 0
        if place.exists():
            place.write_text(str(seen + 1))
        assert seen >= int(place.with_suffix(".fails").read_text()), "by chance"
    """
MESSY = """
    KEPT = []

    def test_mess():
        {mess}

    def test_victim():
        assert not KEPT, "left behind"
    """


def started(
    project: Project, files: Mapping[str, str], *args: str, plugins: Sequence[str] = ()
) -> None:
    """A repository with a commit on which everything passes."""
    project.env["PLACE"] = str(project.home / "count")
    (project.home / "count.fails").write_text("0")
    project.init()
    project.commit({**SHOP, **files})
    project.pytest("-q", *args, expect=0, plugins=plugins)


def verdict(ended: Ended, test: str) -> tuple[str, str]:
    """Label and reason of a test."""
    for label, text in ended.verdicts:
        nodeid, _, reason = text.partition(" - ")
        if nodeid.endswith(test):
            return label, reason
    raise AssertionError(f"no verdict on {test}:\n{ended.out}\n{ended.err}")


def stored(project: Project) -> Verdict:
    """The only verdict that stands in the newest run."""
    with project.history() as history:
        run = project.run()
        (found,) = standing(history.verdicts([run.head.id])).values()
    return found


def shaky(project: Project, fails: int) -> None:
    """From now on the test fails so many times."""
    (project.home / "count").write_text("0")
    (project.home / "count.fails").write_text(str(fails))


# -- the rows of the table --------------------------------------------------------------------


def test_it_passes_alone_and_in_company(project: Project) -> None:
    started(project, {"tests/test_shaky.py": SHAKY})
    project.commit(HARMLESS)
    shaky(project, 1)
    ended = project.pytest("-q", CONFIRM, expect=1)
    label, reason = verdict(ended, "test_shaky")
    assert label == "FLAKY"
    assert reason == "passed alone on the same state, and after the 1 test before it"
    found = stored(project)
    assert (found.evidence["by"], found.confidence) == ("trial", "proved")
    assert [one["arm"] for one in found.evidence["trials"]] == ["alone", "company"]
    assert found.introduced is False


def test_it_passes_some_of_the_times(project: Project) -> None:
    started(project, {"tests/test_shaky.py": SHAKY})
    project.commit(HARMLESS)
    shaky(project, 2)  # in the run, and the first time alone
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_shaky")
    assert (label, reason) == ("FLAKY", "passed 1 of 2 times alone on the same state")


def test_it_depends_on_the_order_with_or_without_the_change(project: Project) -> None:
    files = {"tests/test_mess.py": MESSY.format(mess="KEPT.append(1)"), "tests/test_tax.py": TAX}
    started(project, files, "tests/test_mess.py::test_victim", "tests/test_tax.py")
    project.pytest("-q", "tests/test_mess.py::test_victim", "tests/test_tax.py", expect=0)
    project.commit(HARMLESS)
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_victim")
    assert label == "FLAKY"
    assert reason == (
        "order-dependent: fails after tests/test_mess.py::test_mess, with or without the change"
    )


def test_the_change_made_an_earlier_test_leave_a_mess(project: Project) -> None:
    started(project, {"tests/test_mess.py": MESSY.format(mess="pass"), "tests/test_tax.py": TAX})
    old = project.git("rev-parse", "--short=7", "HEAD")
    project.commit({"tests/test_mess.py": MESSY.format(mess="KEPT.append(1)")})
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_victim")
    assert label == "GENUINE"
    assert f"fails after tests/test_mess.py::test_mess since {old}" in reason


def test_it_fails_on_the_state_before_as_well(project: Project) -> None:
    started(project, {"tests/test_shaky.py": SHAKY, "tests/test_tax.py": TAX})
    old = project.git("rev-parse", "--short=7", "HEAD")
    project.commit({"shop/tax.py": "def tax(net):\n    return net + net\n"})
    shaky(project, 1000)
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_shaky")
    assert label == "FLAKY"
    assert reason.startswith(f"fails on {old} as well, where it passed ")
    (before,) = [one for one in stored(project).evidence["trials"] if one["arm"] == "before"]
    assert before["control"] == "tests/test_shaky.py::test_beside"
    assert before["control_passed"] is True


def test_the_change_broke_it(project: Project) -> None:
    started(project, {"tests/test_tax.py": TAX, "tests/test_text.py": TEXT})
    old = project.git("rev-parse", "--short=7", "HEAD")
    project.write({"shop/tax.py": "def tax(net):\n    return net * 3\n"})
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_tax")
    assert label == "GENUINE"
    how = "ran tax() in shop/tax.py" if sys.version_info >= (3, 12) else "imports shop/tax.py"
    assert reason.startswith(how)
    assert reason.endswith(f"passes on {old} and fails here")
    assert stored(project).confidence == "proved"


def test_a_copy_that_is_not_fit_proves_nothing(project: Project) -> None:
    """Both tests read what no copy has: a folder that git ignores and an environment fills."""
    reads = """
        from pathlib import Path

        def test_reads():
            assert (Path(__file__).parent.parent / ".git").exists()
            assert not (Path(__file__).parent.parent / "trouble.txt").exists()
        """
    started(project, {"tests/test_reads.py": reads})
    project.commit({"trouble.txt": "1"})
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_reads")
    assert "failed otherwise once in a fresh copy" in reason
    assert stored(project).confidence != "proved"
    assert label != "FLAKY"


def test_a_collection_that_the_change_broke(project: Project) -> None:
    started(project, {"tests/test_tax.py": TAX, "tests/test_text.py": TEXT})
    project.commit({"shop/tax.py": "def other():\n    pass\n"})
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=2), "tests/test_tax.py")
    assert label == "GENUINE"
    assert "passes on " in reason


def test_without_a_known_pass_git_tells_what_was_there(project: Project) -> None:
    project.init()
    project.commit({**SHOP, "tests/test_tax.py": TAX, "tests/test_text.py": TEXT})
    project.write({"shop/tax.py": "def tax(net):\n    return net * 3\n"})
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_tax")
    assert label == "GENUINE"
    assert reason.endswith("passes on the last commit and fails here")


def test_a_property_test_that_passes_alone_may_draw_other_inputs(project: Project) -> None:
    drawn = """
        import os
        from hypothesis import given, settings, strategies as st

        def test_beside():
            pass

        @settings(database=None, max_examples=2)
        @given(st.integers())
        def test_drawn(number):
            assert not os.path.exists(os.environ["PLACE"])
        """
    started(project, {"tests/test_drawn.py": drawn})
    (project.home / "count").write_text("")
    project.write(
        {
            "tests/conftest.py": """
                import atexit, os

                atexit.register(os.unlink, os.environ["PLACE"])
                """
        }
    )
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_drawn")
    # Python 3.11 blames the changed conftest.py, which the test imports.
    assert label == ("UNDECIDED" if sys.version_info >= (3, 12) else "GENUINE")
    assert "it passed with inputs of its own drawing" in reason
    assert stored(project).confidence != "proved"


# -- what is put on trial ---------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--flakefighters-confirm", "--flakefighters-confirm=undecided"])
def test_what_is_decided_is_left_alone(project: Project, option: str) -> None:
    started(project, {"tests/test_tax.py": TAX})
    project.write({"shop/tax.py": "def tax(net):\n    return net * 3\n"})
    ended = project.pytest("-q", option, "tests", expect=1)
    assert "on trial" not in ended.out
    assert "tried" not in ended.out


def test_a_wrong_value_is_a_usage_error(project: Project) -> None:
    project.test("def test_a(): pass\n")
    ended = project.pytest("--flakefighters-confirm=some", expect=4)
    assert "--flakefighters-confirm" in ended.err


def test_markers_and_settings_leave_tests_out(project: Project) -> None:
    marked = """
        import os, pytest
        from pathlib import Path

        def note(name):
            with Path(os.environ["PLACE"]).open("a") as file:
                file.write(name + " ")

        @pytest.mark.flakefighters(confirm=False)
        def test_flight():
            note("flight")
            assert 0

        def test_live():
            note("live")
            assert 0

        def test_other():
            note("other")
            assert 0
        """
    project.env["PLACE"] = str(project.home / "count")
    project.write(
        {
            "tests/test_marked.py": marked,
            "profiles.toml": """
                confirm_exclude = ["*::test_live"]

                [profiles.local]
                confirm = "all"
                """,
        }
    )
    project.pytest("-q", expect=1)
    ran = (project.home / "count").read_text().split()
    assert (ran.count("flight"), ran.count("live")) == (1, 1)
    assert ran.count("other") > 1


def test_a_debugger_and_a_plain_run_put_nothing_on_trial(project: Project) -> None:
    started(project, {"tests/test_shaky.py": SHAKY})
    shaky(project, 1)
    ended = project.pytest("-q", expect=1)
    assert "on trial" not in ended.out


# -- how ---------------------------------------------------------------------------------------


def test_pytest_says_and_ends_as_without(project: Project) -> None:
    files = {"tests/test_shaky.py": SHAKY, "tests/test_tax.py": TAX}
    started(project, files)
    shaky(project, 1000)
    (project.home / "count").unlink()
    plain = project.pytest("-q", on=False, expect=1)
    with_trials = project.pytest("-q", CONFIRM, expect=1)
    told = [one for one in with_trials.others.splitlines() if one]
    assert told == [one for one in plain.others.splitlines() if one]


def test_the_repository_and_the_work_tree_stay_as_they_are(project: Project) -> None:
    started(project, {"tests/test_tax.py": TAX, "tests/test_text.py": TEXT})
    project.commit({"shop/tax.py": "def tax(net):\n    return net * 3\n"})
    listed = sorted(path for path in (project.root / ".git").rglob("*"))
    project.pytest("-q", CONFIRM, expect=1)
    assert project.git("status", "--porcelain") == ""
    assert sorted(path for path in (project.root / ".git").rglob("*")) == listed


def test_options_and_variables_go_along_but_no_secret_of_ours(project: Project) -> None:
    asks = """
        import json, os, sys, warnings
        from pathlib import Path

        def test_asks(request):
            option = request.config.option
            told = {
                "xfail": request.config.getini("xfail_strict"),
                "tb": option.tbstyle,
                "k": option.keyword,
                "maxfail": option.maxfail,
                "variables": sorted(name for name in os.environ if "FLAKEFIGHTERS" in name),
                "own": os.environ.get("OWN"),
                "optimize": sys.flags.optimize,
            }
            with Path(os.environ["PLACE"]).open("a") as file:
                file.write(json.dumps(told) + "\\n")
            raise ValueError("no")
        """
    project.env |= {
        "PLACE": str(project.home / "count"),
        "OWN": "1",
        "FLAKEFIGHTERS_PROFILES__CI__PASSWORD": "correct-horse-battery",
    }
    project.write(
        {
            "tests/test_asks.py": asks,
            "pytest.ini": "[pytest]\nxfail_strict = true\naddopts = -x -k asks --tb=short\n",
        }
    )
    project.pytest("-q", CONFIRM, expect=1, python=["-O"])
    first, *trials = map(json.loads, (project.home / "count").read_text().splitlines())
    assert trials
    for told in trials:
        assert told["variables"] == ["FLAKEFIGHTERS", "FLAKEFIGHTERS_TRIAL"]
        assert (told["k"], told["maxfail"] or 0) == ("", 0)
        for name in ("xfail", "tb", "own", "optimize"):
            assert told[name] == first[name]


def test_a_worker_s_own_order(project: Project) -> None:
    pytest.importorskip("xdist")
    files = {
        f"tests/test_{name}.py": MESSY.format(mess="KEPT.append(1)") if name == "m" else TAX
        for name in "abcm"
    }
    first = ("tests/test_m.py::test_victim", "tests/test_a.py")
    started(project, files, *first, plugins=["xdist.plugin"])
    project.commit(HARMLESS)
    ended = project.pytest(
        "-q", CONFIRM, "-n", "2", "--dist=loadfile", plugins=["xdist.plugin"], expect=1
    )
    label, reason = verdict(ended, "test_victim")
    assert (label, "order-dependent" in reason or "test_mess" in reason) == ("FLAKY", True)


def test_a_process_that_the_tests_polluted(project: Project) -> None:
    frozen = """
        import time

        def test_freezes():
            time.time = lambda: 0.0
        """
    started(project, {"tests/test_shaky.py": SHAKY})
    project.commit({"tests/test_a.py": frozen})
    shaky(project, 1)
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_shaky")
    assert label == "FLAKY"
    assert reason.startswith("passed alone on the same state")


def test_ctrl_c_ends_the_trials_and_keeps_the_run(project: Project) -> None:
    slow = """
        import os, time
        from pathlib import Path

        def test_slow():
            place = Path(os.environ["PLACE"])
            if place.exists():
                place.with_suffix(".again").write_text("")
                time.sleep(60)
            place.write_text("")
            assert 0
        """
    project.env["PLACE"] = str(project.home / "count")
    project.test(slow)
    process = project.start("-q", CONFIRM)
    again = project.home / "count.again"
    for _ in range(400):
        if again.exists():
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    ended = project.finish(process, expect=1)
    assert "the trials were interrupted" in ended.out
    assert "saved to local" in ended.closing
    assert len(project.runs()) == 1


def test_an_installed_copy_of_the_project(project: Project) -> None:
    """The code that runs lies in site-packages; in a copy its own packages come first."""
    project.env["PYTHONPATH"] = (
        f"{project.home}/site-packages:{project.environment().get('PYTHONPATH', '')}"
    )
    info = "Metadata-Version: 2.1\nName: shop\nVersion: 1\n"
    record = "shop/__init__.py,,\nshop/tax.py,,\nshop-1.dist-info/METADATA,,\n"

    def install(text: str) -> None:
        project.write(
            {
                "shop/__init__.py": "",
                "shop/tax.py": text,
                "shop-1.dist-info/METADATA": info,
                "shop-1.dist-info/RECORD": record,
            },
            project.home / "site-packages",
        )

    good, bad = (f"def tax(net):\n    return net * {n}\n" for n in (2, 3))
    project.init()
    install(good)
    files = {
        "src/shop/__init__.py": "",
        "src/shop/tax.py": good,
        "tests/test_tax.py": TAX + "\ndef test_beside():\n    assert tax\n",
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
    }
    project.commit(files)
    project.pytest("-q", expect=0)
    project.commit({"src/shop/tax.py": bad})
    install(bad)
    label, reason = verdict(project.pytest("-q", CONFIRM, expect=1), "test_tax")
    assert (label, "passes on " in reason) == ("GENUINE", True)


def test_without_git_only_the_same_state_is_tried(project: Project) -> None:
    project.env["PLACE"] = str(project.home / "count")
    (project.home / "count.fails").write_text("0")
    project.write({**SHOP, "tests/test_shaky.py": SHAKY})
    project.pytest("-q", expect=0)
    shaky(project, 1)
    label, _ = verdict(project.pytest("-q", CONFIRM, expect=1), "test_shaky")
    assert label == "FLAKY"


def test_a_state_that_is_not_contained_is_never_run(project: Project) -> None:
    """A history may name any tree; only what the checked out commit contains is run again."""
    place = project.home / "ran"
    writes = f"""
        from pathlib import Path

        def test_beside():
            pass

        def test_shaky():
            Path({str(place)!r}).write_text("")
        """
    project.env["PLACE"] = str(project.home / "count")
    project.init()
    project.commit({**SHOP, "tests/test_shaky.py": SHAKY})
    project.git("checkout", "-q", "-b", "side")
    project.commit({"tests/test_shaky.py": writes})
    project.pytest("-q", expect=0)
    place.unlink()
    project.git("checkout", "-q", "main")
    shaky(project, 1000)
    ended = project.pytest("-q", CONFIRM, expect=1)
    assert "tried" in verdict(ended, "test_shaky")[1]
    assert not place.exists()


def test_a_shallow_clone_says_what_would_help(project: Project) -> None:
    started(project, {"tests/test_tax.py": TAX})
    project.commit({"shop/tax.py": "def tax(net):\n    return net * 3\n"})
    project.commit({"shop/text.py": "def title(text):\n    return text\n"})
    clone = project.home / "clone"
    project.git("clone", "-q", "--depth=1", f"file://{project.root}", str(clone))
    (clone / "flakefighters.db").write_bytes(project.database.read_bytes())
    project.env["FLAKEFIGHTERS_PROJECT"] = "shop"
    ended = project.pytest("-q", CONFIRM, cwd=clone, expect=1)
    assert "fetch-depth" in ended.out
