"""The report in a real browser: every view, the keyboard, hostile names, and the network's silence.

It needs Debian's packages chromium and chromium-driver.
With ``FFTEST_FIGURES=1`` the pictures of ``docs/figures`` are made anew.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from flakefighters.cli import main
from tests.reports.browser import Browser, running_browser
from tests.reports.shop_history import checkout, fill, hostile
from tests.requirements import need_module

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs" / "figures"
VIEWS = ("#run", "#tests", "#grid", "#trends", "#quarantine")
FLAKY = "tests/test_pay.py::test_survives_a_restart"
ENTER, RIGHT, LEFT, DOWN = "\ue007", "\ue014", "\ue012", "\ue015"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def _report(folder: Path) -> Path:
    page = folder / "report.html"
    url = f"sqlite:///{folder / 'history.db'}"
    arguments = [
        "--rootdir",
        str(folder),
        "--project",
        "github.com/acme/shop",
        "--database-url",
        url,
    ]
    assert main(["report", "-o", str(page), *arguments]) == 0
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    fill(folder / "history.db", checkout(folder))
    return _report(folder)


@pytest.fixture
def shown(browser: Browser, page: Path) -> Iterator[Browser]:
    """The page at its start; afterwards nothing was complained of, and nothing was fetched."""
    browser.resize(1200, 900)
    browser.colours("light")
    browser.requests()
    browser.open(page)
    yield browser
    assert browser.console() == []
    assert set(browser.requests()) <= {page.as_uri()}


def texts(browser: Browser, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
    return [str(one) for one in browser.run(script, selector)]


def names(browser: Browser) -> list[str]:
    return texts(browser, "tbody th")


def click(browser: Browser, selector: str, number: int = 0) -> None:
    browser.run("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, number)


def search(browser: Browser, text: str) -> None:
    browser.run(
        "const field = document.querySelector('input[type=search]'); field.value = arguments[0];"
        "field.dispatchEvent(new Event('input'))",
        text,
    )


# -- views -----------------------------------------------------------------------------------


def test_the_run_tells_what_is_wrong(shown: Browser) -> None:
    assert texts(shown, "h1") == ["2 genuine, 1 undecided, 1 flaky"]
    assert [one.split("\n")[0] for one in texts(shown, "h2")] == ["Genuine", "Undecided", "Flaky"]
    assert "Ran what changed: tax() in shop/tax.py" in texts(shown, "h3")[0]
    click(shown, "details.failure summary")
    (inside, *_) = texts(shown, "details.failure[open]")
    assert "touched: ran tax() in shop/tax.py, line 7" in inside
    assert "+from decimal import ROUND_DOWN, Decimal" in inside
    assert "assert Decimal('3.99') == Decimal('4.00')" in inside
    click(shown, ".along a")
    shown.wait("document.querySelector('h1.long')")
    assert texts(shown, "h1") == ["tests/test_tax.py::test_is_idempotent"]


def test_tests_are_sorted_filtered_and_found(shown: Browser) -> None:
    shown.go("#tests")
    assert names(shown)[0].startswith(FLAKY)
    assert texts(shown, "th[aria-sort]") == ["Time↓"]
    click(shown, "button.sort")
    assert names(shown) == sorted(names(shown))
    assert shown.run("return document.activeElement.textContent") == "Test↑"
    click(shown, ".choices button", 3)
    assert texts(shown, ".status") == ["1-50 of 65"]
    click(shown, ".pager button", 1)
    assert texts(shown, ".status") == ["51-65 of 65"]
    search(shown, "CART eur")
    assert names(shown) == ["tests/test_cart.py::test_adds_an_item[guest-eur]"]
    search(shown, "no such test")
    assert texts(shown, ".status") == ["No test fits."]
    search(shown, "")
    click(shown, ".choices button", 2)
    (only,) = names(shown)
    assert only.startswith(FLAKY)


def test_the_grid_is_walked_by_keys(shown: Browser) -> None:
    shown.go("#grid")
    shown.wait("document.querySelector('.readout a')")
    assert texts(shown, ".readout")[0].startswith("failed, flaky")
    shown.run("document.querySelector('.gridbox').focus()")
    shown.key(LEFT, LEFT)
    assert texts(shown, ".readout")[0].startswith("passed")
    size = shown.run("return document.querySelector('.sizer').offsetWidth")
    shown.key("+")
    assert shown.run("return document.querySelector('.sizer').offsetWidth") > size
    shown.key(RIGHT, RIGHT, DOWN)
    told = texts(shown, ".readout a")[0]
    shown.wait(f"document.getElementById('live').textContent.includes({json.dumps(told)})")
    shown.key(ENTER)
    shown.wait("document.querySelector('h1.long')")
    assert texts(shown, "h1") == [told]


# A copy of the picture is read, for the browser complains of those that are read from a screen.
_COLOURS = """
const [from, copy] = [document.querySelector("canvas"), document.createElement("canvas")];
[copy.width, copy.height] = [from.width, from.height];
const pen = copy.getContext("2d", { willReadFrequently: true });
pen.drawImage(from, 0, 0);
const all = pen.getImageData(0, 0, copy.width, copy.height).data;
const found = new Set();
for (let at = 0; at < all.length; at += 4) found.add(all.slice(at, at + 3).join());
return [...found];
"""


def test_the_grid_has_colours_and_a_table(shown: Browser) -> None:
    shown.go("#grid")
    shown.wait("document.querySelector('.readout a')")
    light = set(shown.run(_COLOURS))
    assert {"201,56,45", "224,164,60", "133,117,210", "207,227,213"} <= light
    shown.colours("dark")
    shown.wait("matchMedia('(prefers-color-scheme: dark)').matches")
    time.sleep(0.1)
    assert not {"201,56,45", "207,227,213"} & set(shown.run(_COLOURS))
    buttons = texts(shown, "main button")
    click(shown, "main button", buttons.index("Show as a table"))
    assert len(texts(shown, "thead th")) == 21
    assert "failed, flaky" in shown.run("return document.querySelector('tbody').textContent")


def test_a_test_has_its_page(shown: Browser) -> None:
    shown.go(f"#test/{quote(FLAKY, safe='')}")
    assert texts(shown, "h1") == [FLAKY]
    assert texts(shown, ".lead")[0].startswith("Of 120 runs: 1")
    assert texts(shown, "h2")[:2] == ["Timeline", "How long it takes"]
    assert "quarantined until 2026-12-18" in texts(shown, "ul.facts")[0]
    click(shown, "details.failure summary")
    assert "the bank does not answer" in texts(shown, "details.failure pre")[0]
    shown.go("#test/there%20is%20none")
    assert texts(shown, "h1") == ["No such test"]


def test_trends_and_quarantine(shown: Browser) -> None:
    shown.go("#trends")
    assert texts(shown, "h2") == [
        "Failures by day",
        "How long runs take",
        "Failures by cause",
        "Failures by signature",
    ]
    assert shown.run("return document.querySelectorAll('rect.bar').length") > 10
    assert "many tests failed at once" in names(shown)
    shown.go("#quarantine")
    assert "expired 2026-11-20" in texts(shown, "tbody")[0]


# -- for everybody ---------------------------------------------------------------------------


def _axe() -> str:
    need_module("axe_core_python")
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")


_AXE = """
return axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then((told) =>
  told.violations.map((one) => [one.id, ...one.nodes.slice(0, 3).map((node) =>
    `${node.target} ${node.any[0]?.message}`)]))
"""


def test_everybody_can_read_it(shown: Browser) -> None:
    """WCAG 2.1, A and AA, as far as axe can tell."""
    shown.devtools("Page.setBypassCSP", enabled=True)
    shown.devtools("Runtime.evaluate", expression=_axe())
    found = {}
    fragments = [*VIEWS, f"#test/{quote(FLAKY, safe='')}"]
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", 390)):
        shown.colours(scheme)
        shown.resize(width, 900)
        for fragment in fragments:
            shown.go(fragment)
            shown.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            if told := shown.run(_AXE):
                found[scheme, width, fragment] = told
    shown.devtools("Page.setBypassCSP", enabled=False)
    assert found == {}


def test_it_fits_a_phone(shown: Browser) -> None:
    shown.resize(360, 780)
    for fragment in (*VIEWS, f"#test/{quote(FLAKY, safe='')}"):
        shown.go(fragment)
        assert shown.run("return document.documentElement.scrollWidth") <= 360, fragment


def test_colours_follow_the_system_until_they_are_chosen(shown: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.run(f"return {ground}")
    shown.colours("dark")
    dark = shown.run(f"return {ground}")
    assert dark != light
    click(shown, "#theme")
    assert (texts(shown, "#theme"), shown.run(f"return {ground}")) == (["Light"], light)
    click(shown, "#theme")
    assert (texts(shown, "#theme"), shown.run(f"return {ground}")) == (["Dark"], dark)
    click(shown, "#theme")


def test_paper_is_light_and_shows_all(shown: Browser) -> None:
    shown.colours("dark")
    shown.wait("matchMedia('(prefers-color-scheme: dark)').matches")
    shown.go("#grid")
    shown.wait("document.querySelector('.readout a')")
    shown.run("dispatchEvent(new Event('beforeprint'))")
    assert "207,227,213" in shown.run(_COLOURS)
    shown.run("dispatchEvent(new Event('afterprint'))")
    assert "207,227,213" not in shown.run(_COLOURS)
    assert texts(shown, "#theme") == ["Auto"]
    shown.go("#run")
    shown.run("dispatchEvent(new Event('beforeprint'))")
    assert shown.run("return document.querySelectorAll('details.failure:not([open])').length") == 0
    shown.run("dispatchEvent(new Event('afterprint'))")
    shown.devtools("Emulation.setEmulatedMedia", media="print")
    assert shown.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    shown.devtools("Emulation.setEmulatedMedia", media="")


# -- trust nobody ----------------------------------------------------------------------------


def test_hostile_names_are_only_names(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    nodeids = hostile(folder / "history.db")
    page = _report(folder)
    browser.resize(1200, 900)
    browser.console()
    browser.requests()
    browser.open(page)
    for fragment in VIEWS:
        browser.go(fragment)
        browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert browser.run("return document.documentElement.scrollWidth") <= 1200, fragment
        assert browser.run("return document.querySelectorAll('script, img, b, iframe').length") == 2
    browser.go("#tests")
    click(browser, ".choices button", 3)
    listed = " ".join(names(browser))
    assert "<script>alert(1)</script>" in listed
    assert "\\u202egnp.exe" in listed
    links = browser.run("return [...document.querySelectorAll('a.test')].map((one) => one.hash)")
    assert len(links) == len(nodeids)
    for link in links:
        browser.go(link)
        assert texts(browser, "h1") != ["No such test"]
        assert browser.run("return document.documentElement.scrollWidth") <= 1200
    assert browser.run("return document.title").endswith("shop</title><script>alert(2)</script>")
    assert browser.console() == []
    assert set(browser.requests()) <= {page.as_uri()}


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.skipif(not os.environ.get("FFTEST_FIGURES"), reason="FFTEST_FIGURES=1 makes them")
def test_pictures_of_the_docs(shown: Browser) -> None:
    FIGURES.mkdir(exist_ok=True)
    for name, fragment, scheme, size in (
        ("report-run", "#run", "light", (1120, 900)),
        ("report-tests", "#tests", "light", (1120, 760)),
        ("report-grid", "#grid", "dark", (1120, 800)),
        ("report-trends", "#trends", "light", (1120, 820)),
        ("report-test", f"#test/{quote(FLAKY, safe='')}", "dark", (1120, 900)),
        ("report-phone", "#run", "light", (390, 780)),
    ):
        shown.colours(scheme)
        shown.resize(*size)
        shown.go("#quarantine")
        shown.go(fragment)
        if fragment == "#run":
            click(shown, "details.failure summary")
        time.sleep(0.4)
        (FIGURES / f"{name}.png").write_bytes(shown.picture())
