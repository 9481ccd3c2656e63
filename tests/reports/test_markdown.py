"""A run as Markdown: verdict first, and nothing of a project's but text."""

from __future__ import annotations

import re

import pytest

from flakefighters.model import Label, Project, Run, RunHead
from flakefighters.reports.failed import Diff, Failed
from flakefighters.reports.markdown import LONGEST, run_markdown

RUN = Run(
    head=RunHead(id="0" * 28 + "51be", project="p", started=10**15, branch="main", commit="a" * 40),
    project=Project(identity="p", label="p"),
    state=None,
    environment=None,
    suite=("a", "b"),
    outcomes="F.",
    durations=[0] * 6,
)


def make(nodeid: str = "tests/test_a.py::test_a", **more: object) -> Failed:
    given: dict[str, object] = {
        "phase": "call",
        "subtest": None,
        "exception": "AssertionError",
        "message": "assert 1 == 2",
        "text": "E   assert 1 == 2",
        "signature": "s",
        "label": Label.GENUINE,
        "confidence": "strong",
        "introduced": False,
        "reason": "ran f() in a.py, changed since",
        "was": None,
        "cause": "ran what changed",
        "change": "f() in a.py",
        "evidence": ("compared with run 9f3c",),
        "said": (),
        "attempts": (),
    }
    return Failed(nodeid=nodeid, **{**given, **more})  # type: ignore[arg-type]


def test_the_verdict_comes_first_and_details_are_folded() -> None:
    diff = Diff("a.py", ["@@ -1 +1 @@", "-x", "+y"], 4)
    text = run_markdown(RUN, [make(diffs=[diff]), make("b", label=Label.FLAKY, introduced=True)])
    head, _, rest = text.partition("<details>")
    assert head.startswith("### flakefighters: 1 genuine, 1 flaky\n\n2 tests")
    assert "run `51be`" in head
    assert head.count("\n| ") == 3  # the head of the table, and two rows
    assert "**GENUINE** | <code>tests/test&#95;a.py::test&#95;a</code> | ran f&#40;&#41;" in head
    assert "(new: introduced here?)" in head
    assert "- compared with run 9f3c" in rest
    assert "```diff\n@@ -1 +1 @@\n-x\n+y\n... 4 more lines\n```" in rest
    assert text.count("<details>") == text.count("</details>") == 2


def test_nothing_failed() -> None:
    assert run_markdown(RUN, []).startswith("### flakefighters: nothing failed\n")


@pytest.mark.parametrize("number", [1, 60, 3000])
@pytest.mark.parametrize("size", [10, 40_000])
def test_it_fits_into_a_comment_whatever_fails(number: int, size: int) -> None:
    wide = "\u202e|" * size
    failures = [
        make(f"{at}{wide}", text=wide, reason=wide, message=wide, evidence=[wide] * 20)
        for at in range(number)
    ]
    text = run_markdown(RUN, failures)
    assert len(text.encode()) <= LONGEST < 65_536
    assert text.count("<details>") == text.count("</details>")
    assert f"{number:,} genuine" in text or f"{number} genuine" in text
    if number == 3000:
        assert "more failures: `flakefighters show 51be` lists all" in text


NASTY = (
    "a|b `c` <b>x</b> @torvalds #12 !34 GH-5 :tada: [x](javascript:y) www.evil.example \u202eabc"
)


def test_what_comes_from_a_project_is_only_text() -> None:
    text = run_markdown(RUN, [make(NASTY, reason=NASTY, message=NASTY, evidence=[NASTY])])
    outside = re.sub(r"(?s)```.*?```", "", text)
    said = re.sub(r"<code>[^<]*</code>|&#\d+;", "", outside.replace("&#8203;", "^"))
    for bad in ("@torvalds", "#12", "!34", "GH-5", ":tada:", "[x]"):
        assert bad not in said
    for bad in ("<b>", "`c`", "](javascript", "www.evil", "\u202e"):
        assert bad not in outside
    rows = [line for line in outside.splitlines() if line.startswith("| ❌")]
    assert [row.count("|") for row in rows] == [4]


def test_no_traceback_ends_its_block() -> None:
    text = run_markdown(RUN, [make(text="a\n```\n</details>\n````\nb")])
    fence = re.search(r"^(`{5,})text\na\n```\n</details>\n````\nb\n\1$", text, re.MULTILINE)
    assert fence is not None
