"""Times, counts and ids in words."""

from __future__ import annotations

import pytest

from flakefighters.errors import ConfigError
from flakefighters.model.views import Plan, Pruned
from flakefighters.reports.page import plain
from flakefighters.reports.retention import prune_page
from flakefighters.reports.words import (
    ago,
    briefly,
    counts,
    iso,
    percent,
    short_ids,
    took,
    when,
)
from flakefighters.words import count

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_795_374_000 * SECOND  # 2026-11-22 19:00:00 UTC


def test_iso_is_utc_to_the_microsecond() -> None:
    assert iso(NOW + 1) == "2026-11-22T19:00:00.000001Z"
    assert iso(0) == "1970-01-01T00:00:00.000000Z"
    assert iso(None) is None


@pytest.mark.parametrize("at", [10**30, -(10**30), 2**63 - 1])
def test_a_time_that_is_none_is_unknown(at: int) -> None:
    assert iso(at) is None
    assert when(at) == "unknown"
    assert took(at) is not None


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (0, "just now"),
        (SECOND, "1 second ago"),
        (59 * SECOND, "59 seconds ago"),
        (60 * SECOND, "1 minute ago"),
        (DAY - SECOND, "23 hours ago"),
        (13 * DAY, "13 days ago"),
        (14 * DAY, "2026-11-08"),
        (-5 * SECOND, "2026-11-22 19:00:05 UTC"),
    ],
)
def test_ago(before: int, text: str) -> None:
    assert ago(NOW - before, NOW) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (None, ""),
        (-1, ""),
        (900, "0 ms"),
        (80_000, "80 ms"),
        (3_240_000, "3.2 s"),
        (250 * SECOND, "4 min 10 s"),
        (2 * 3600 * SECOND + 60 * SECOND, "2 h 1 min"),
    ],
)
def test_took(duration: int | None, text: str) -> None:
    assert took(duration) == text


def test_counting() -> None:
    assert count(1, "run") == "1 run"
    assert count(0, "run") == "0 runs"
    assert count(1200, "run") == "1,200 runs"
    assert counts({"passed": 3, "failed": 0, "error": 1}) == "3 passed, 1 error"


def test_short_ids_grow_only_where_they_must() -> None:
    first, second, third = "a" * 28 + "1234", "a" * 27 + "b1234", "c" * 28 + "9999"
    assert short_ids([first, second, third]) == {first: "a1234", second: "b1234", third: "9999"}
    assert short_ids([first, first]) == {first: "1234"}
    assert short_ids([]) == {}


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("just now", "just now"),
        ("59 minutes ago", "59 min ago"),
        ("1 hour ago", "1 h ago"),
        ("2026-11-08", "2026-11-08"),
        ("2026-11-22 19:00:05 UTC", "2026-11-22 19:00:05 UTC"),
        ("never", "never"),
    ],
)
def test_times_in_few_cells(long: str, short: str) -> None:
    assert briefly(long) == short


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, ""), (0, 9, "0%"), (1, 999, "<1%"), (1, 3, "33%"), (999, 1000, "99%"), (9, 9, "100%")],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(None, 0, 0), "there is no build"),
        (Plan(None, 0, 1), "its only build stays"),
        (Plan(None, 0, 3), "all 3 builds stay"),
        (Plan(NOW, 1, 0), "pruned 1 run that started before"),
        (Plan(NOW, 2, 1), "1 build stays"),
        (Plan(NOW, 2, 2), "2 builds stay"),
    ],
)
def test_what_was_pruned(plan: Plan, words: str) -> None:
    assert words in plain(prune_page({"shop": plan}, Pruned(), dry_run=False), "terminal")


def test_where_nobody_set_anything() -> None:
    assert str(ConfigError("no", origin="built in")) == "no (which is built in)"
    assert str(ConfigError("no", origin="pyproject.toml:3")) == "no (set in pyproject.toml:3)"
