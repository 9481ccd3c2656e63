"""The site of the documentation is whole: no warning, no dead end, nothing fetched from elsewhere.

It is built once, by the command of CONTRIBUTING.md, and looked at in Chromium where there is one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from tests.reports.browser import running_browser
from tests.requirements import VARIABLE, need_module

ROOT = Path(__file__).resolve().parent.parent
#: Pages that Sphinx adds.
MADE = {"search.html", "genindex.html"}


class Page(HTMLParser):
    """What a page of the site links to, loads and can be linked to."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in ("script", "img", "link", "iframe", "source"):
            self.loads += [found[name] for name in ("src", "href") if name in found]


def build(out: Path) -> None:
    """Run the command that CONTRIBUTING.md gives."""
    for module in ("sphinx", "myst_parser", "furo"):
        need_module(module)
    line = re.search(r"^python -m sphinx (-W .*?) build/site", _contributing(), re.MULTILINE)
    assert line is not None
    options = ["-q", "-D", "release=main", "-A", "versions=yes", *line[1].split()]
    command = [sys.executable, "-m", "sphinx", *options, str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def read(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def dead_ends(site: Path, pages: dict[Path, Page]) -> list[str]:
    """Links to pages, files and anchors that are not there."""
    found = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            target, _, anchor = unquote(link).partition("#")
            if re.match(r"(https?|mailto|data):", link):
                continue
            place = (path.parent / target.partition("?")[0]).resolve() if target else path
            place = place / "index.html" if place.is_dir() else place
            there = place.is_file() and place.is_relative_to(site)
            if not there or (anchor and place in pages and anchor not in pages[place].ids):
                found.append(f"{path.relative_to(site)} -> {link}")
    return found


def reached(site: Path, front: Page) -> set[Path]:
    return {(site / link.partition("#")[0]).resolve() for link in front.links}


def test_the_site_is_whole(tmp_path: Path) -> None:
    site = tmp_path.resolve() / "site"
    build(site)
    pages = read(site)
    assert len(pages) > 40
    assert dead_ends(site, pages) == []
    known = reached(site, pages[site / "index.html"]) | {site / name for name in MADE}
    assert sorted(set(pages) - known - {site / "index.html"}) == []
    loaded = {link for page in pages.values() for link in page.loads}
    assert [link for link in loaded if re.match(r"(https?:)?//", link)] == []
    look(site, tmp_path)


# -- in a browser ---------------------------------------------------------------------------------


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def look(site: Path, folder: Path) -> None:
    """Two versions side by side: search, dark, a phone; no complaint, nothing from elsewhere."""
    if shutil.which("chromedriver") is None and not os.environ.get(VARIABLE):
        return  # what stands in the pages was looked at all the same
    web = folder / "web"
    for version in ("main", "0.0.1"):
        publisher().publish(site, web, version)
    with served(web) as address, running_browser(folder) as browser:
        browser.requests()
        for name, page, scheme, size in (
            ("front", "index.html", "light", (1280, 900)),
            ("front-dark", "index.html", "dark", (1280, 900)),
            ("reference", "reference/commands.html", "light", (1280, 900)),
            ("decisions", "decisions/README.html", "dark", (1280, 900)),
            ("phone", "why-flaky.html", "light", (390, 780)),
            ("phone-tables", "verdicts.html", "dark", (390, 780)),
            ("search", "search.html?q=quarantine", "light", (1280, 900)),
        ):
            browser.resize(*size)
            browser.colours(scheme)
            browser.visit(f"{address}/main/{page}")
            if name == "search":
                browser.wait("document.querySelectorAll('#search-results li a').length > 3")
                found = browser.run("return document.querySelector('#search-results').innerText")
                assert "Quarantine" in found
            wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, name
            browser.wait("document.querySelectorAll('#versions option').length === 2")
            if into := os.environ.get("FFTEST_SITE_PICTURES"):
                (Path(into) / f"site-{name}.png").write_bytes(browser.picture())
        assert browser.run("return document.querySelector('.versions p').hidden") is False
        assert browser.console() == []
        assert [one for one in browser.requests() if not one.startswith(f"{address}/")] == []


# -- versions -------------------------------------------------------------------------------------


def publisher() -> ModuleType:
    spec = importlib.util.spec_from_file_location("publish", ROOT / ".site" / "publish.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_released_versions_stay_reachable(tmp_path: Path) -> None:
    web = tmp_path / "web"
    told = {}
    for number, version in enumerate(("main", "0.9.0", "0.10.0", "1.0rc1", "main", "0.9.1")):
        built = tmp_path / str(number)
        built.mkdir()
        (built / "index.html").write_text(f"{number} {version}")
        publisher().publish(built, web, version)
        told = json.loads((web / "versions.json").read_text())
    assert told == {"newest": "0.10.0", "versions": ["1.0rc1", "0.10.0", "0.9.1", "0.9.0", "main"]}
    fronts = {path.parent.name: path.read_text() for path in web.glob("*/index.html")}
    assert fronts == {
        "main": "4 main",
        "0.9.0": "1 0.9.0",
        "0.10.0": "2 0.10.0",
        "1.0rc1": "3 1.0rc1",
        "0.9.1": "5 0.9.1",
        "stable": "2 0.10.0",
    }
    assert 'url=stable/"' in (web / "index.html").read_text()
    assert (web / ".nojekyll").exists()


@pytest.mark.parametrize("version", ["../elsewhere", "latest", ""])
def test_only_versions_are_published(version: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Invalid version"):
        publisher().publish(tmp_path, tmp_path / "web", version)


def test_the_workflow_builds_as_the_suite_does() -> None:
    text = (ROOT / ".github" / "workflows" / "docs.yml").read_text("utf-8")
    assert "python -m sphinx -W --keep-going -n -c .site" in text
    assert "python -m sphinx -W --keep-going -n -c .site docs build/site" in _contributing()
