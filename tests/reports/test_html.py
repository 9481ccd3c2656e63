"""The page of a report: what may run in it, and what its data look like."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flakefighters.reports import html
from flakefighters.reports.html.data import group_size, visible

FOLDER = Path(html.__file__).parent
NASTY = "</script><script>alert(1)</script><!-- {{script}} \u2028 & 'x' \u202egnp"


class _Parts(HTMLParser):
    """The scripts and styles of a page, and all its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", {}))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.tags[-1] if self.tags else ("", {})
        if tag in ("script", "style"):
            name = attrs.get("id") or tag
            self.texts[name] = self.texts.get(name, "") + data


@pytest.fixture(scope="module")
def parts() -> _Parts:
    read = _Parts()
    read.feed(html.page(f"a title {NASTY}", {"name": NASTY, "more": [NASTY]}))
    return read


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_only_our_own_script_and_style_may_run(parts: _Parts) -> None:
    (policy,) = [attrs["content"] for tag, attrs in parts.tags if "http-equiv" in attrs]
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{_hash(parts.texts['script'])}'",
        "style-src": f"'sha256-{_hash(parts.texts['style'])}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert [tag for tag, _ in parts.tags].count("script") == 2
    names = {name for _, attrs in parts.tags for name in attrs}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "style"})


def test_data_come_back_as_they_were_and_end_no_element(parts: _Parts) -> None:
    text = parts.texts["data"]
    assert json.loads(text) == {"name": NASTY, "more": [NASTY]}
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_every_file_is_part_of_the_page() -> None:
    listed = {*html.STYLES, *html.SCRIPTS, "page.html"}
    assert {
        path.name for path in FOLDER.iterdir() if path.suffix in (".js", ".css", ".html")
    } == listed


def test_files_are_short_and_make_no_markup() -> None:
    for path in FOLDER.iterdir():
        if path.suffix in (".js", ".css"):
            text = path.read_text("utf-8")
            assert len(text.splitlines()) <= 400, path.name
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|https?://(?!www\.w3\.org/2000/svg)",
                text,
            ), path.name


def test_texts_are_made_visible_at_any_depth() -> None:
    made = visible({"a\u202e": ["b\x00", {"c": ("d\ud800",)}], "n": 1, "none": None})
    assert made == {"a\\u202e": ["b\\x00", {"c": ["d\\ud800"]}], "n": 1, "none": None}


def test_many_durations_are_told_together() -> None:
    assert group_size(100, 500) == 1
    assert group_size(10_000, 500) == 5
    assert group_size(0, 0) == 1
