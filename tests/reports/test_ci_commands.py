"""No text from a test gives a command of its own to a CI service."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.model import Label
from flakefighters.reports import ci_commands as commands
from flakefighters.reports.ci_commands import COMMANDS, Place, Told
from flakefighters.reports.ci_summary import summary

PARTS = ["::", ":", "error", "##", "vso[", "teamcity[", "[", "]", "%", "0A", "25", "AZP25", ";"]
PARTS += [",", "'", "|", "|'", "\n", "\r", "\u2028", "\x1b[2J", "a", " ", "message text=", "日"]
NASTY = st.lists(st.sampled_from(PARTS), max_size=12).map("".join) | st.text(max_size=30)
LABELS = st.sampled_from(list(Label))
FAILURES = st.lists(
    st.builds(
        Told,
        label=LABELS,
        nodeid=NASTY,
        reason=NASTY,
        place=st.builds(Place, NASTY, st.none() | st.integers(1, 99)),
        part=st.none() | NASTY,
        evidence=st.lists(NASTY, max_size=3),
        text=NASTY,
    ),
    min_size=1,
    max_size=4,
)


def told(label: Label, name: str = "t.py::test_a", **more: object) -> Told:
    return Told(label, name, "it failed", Place("t.py", 3))._replace(**more)  # type: ignore[arg-type]


def test_what_each_service_is_told() -> None:
    failures = [told(Label.FLAKY), told(Label.GENUINE, part="in setup", introduced=True)]
    title = "title=GENUINE t.py%3A%3Atest_a"
    assert commands.github(failures) == [
        f"::error file=t.py,line=3,{title}::in setup: it failed (new: introduced here?)",
        "::warning file=t.py,line=3,title=FLAKY t.py%3A%3Atest_a::it failed",
    ]
    assert commands.azure(failures)[1] == (
        "##vso[task.logissue type=warning;sourcepath=t.py;linenumber=3]"
        "FLAKY t.py::test_a - it failed"
    )
    assert commands.teamcity([told(Label.GENUINE, "t.py::test_a[it's]")]) == [
        "##teamcity[message text='GENUINE t.py::test_a|[it|'s|] - it failed' status='WARNING']"
    ]


def test_ten_of_each() -> None:
    failures = [told(label, str(n)) for n in range(15) for label in Label]
    for make in (commands.github, commands.azure):
        lines = make(failures)
        assert [sum(kind in line for line in lines) for kind in ("error", "warning")] == [10, 10]
        # The undecided ones are read before the flaky ones.
        assert not any("FLAKY" in line for line in lines)


@settings(max_examples=40, deadline=None)
@given(FAILURES)
def test_no_text_begins_a_command(failures: list[Told]) -> None:
    for vendor, make in COMMANDS.items():
        lines = make(failures)
        assert len(lines) == len(failures)
        for line in lines:
            assert not any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") for one in line)
            rest = line[2:].lower()
            assert not re.search(r"##(vso|teamcity)?\[", rest), vendor
            assert line.startswith(
                ("::error file=", "::warning file=", "##vso[task.logissue ", "##teamcity[message ")
            )


@settings(max_examples=40, deadline=None)
@given(FAILURES)
def test_github_reads_what_was_meant(failures: list[Told]) -> None:
    """As the runner does: properties to the first "::" after the name, then the message."""
    for one, line in zip(commands.ordered(failures), commands.github(failures), strict=False):
        head, _, _ = line[2:].partition("::")
        names = [part.partition("=")[0] for part in head.partition(" ")[2].split(",")]
        line_known = ["line"] if one.place.line is not None else []
        if len({failure.label is Label.GENUINE for failure in failures}) == 1:
            assert names == ["file", *line_known, "title"]
        assert "\n" not in head.replace("%0A", "")


@settings(max_examples=40, deadline=None)
@given(FAILURES)
def test_azure_and_teamcity_read_what_was_meant(failures: list[Told]) -> None:
    for line in commands.azure(failures):
        head, _, _ = line.partition("]")
        assert [part.partition("=")[0] for part in head.partition(" ")[2].split(";")][:2] == [
            "type",
            "sourcepath",
        ]
    for line in commands.teamcity(failures):
        inner = re.sub(r"\|.", "", line)  # what is escaped
        assert re.fullmatch(r"##teamcity\[message text='[^'\[\]]*' status='WARNING'\]", inner)


@settings(max_examples=40, deadline=None)
@given(FAILURES)
def test_a_summary_shows_names_as_text(failures: list[Told]) -> None:
    text = summary(failures, "1 flaky", "ab12", 3)
    assert text.startswith("### flakefighters: 1 flaky\n")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "**" in line]
    assert len(rows) == len(failures)
    for row in rows:
        assert row.count("|") == 4
        bare = re.sub(r"</?code>|\*\*", "", row)
        assert not set(bare) & set("<>`*[]")
        # In code nobody is mentioned.
        assert not re.search(r"@\w", html.unescape(re.sub("<code>.*?</code>", "", row)))
        assert "\n" not in html.unescape(bare)


def test_a_summary_is_short() -> None:
    many = [
        told(Label.GENUINE, "é" * 9000, text="`" * 9000, reason="|" * 9000) for _ in range(3000)
    ]
    text = summary(many, "3000 genuine", "ab12", 3000)
    assert "more failures" in text
    for room in (200_000, 5000, 400):
        assert len(summary(many, "3000 genuine", "ab12", 3000, room).encode()) <= room
    assert summary(many, "x", "ab12", 1, room=20) == ""
    quiet = summary([], "no failures", "ab12", 1)
    assert quiet == "flakefighters: no failures (1 test, run <code>ab12</code>)\n\n"


@pytest.mark.parametrize("fence", ["```", "`````\n# x"])
def test_nothing_ends_a_traceback(fence: str) -> None:
    text = summary([told(Label.FLAKY, text=f"E  {fence}\n</details>")], "1 flaky", "ab12", 1)
    block = re.search(r"^(`{3,})text\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    assert "</details>" in block[2]
