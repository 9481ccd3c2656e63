"""The documentation as a site.  Sphinx reads this file; its pages are the Markdown in ``docs/``.

    sphinx-build -W --keep-going -n -c .site docs build/site

The pages are written for the place where the repository is read, and hold nothing of Sphinx.  What
a site needs besides is made while they are read: the lists of links in ``docs/index.md`` become the
navigation, and CHANGELOG.md and CONTRIBUTING.md, which lie outside of ``docs/``, become pages.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygments.lexer import inherit
from pygments.lexers.sql import SqlLexer
from pygments.token import Name

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

# -- settings of Sphinx ---------------------------------------------------------------------------

project = "flakefighters"
copyright = "the authors of flakefighters"  # noqa: A001 - the name is Sphinx's
#: The workflow that publishes what is not released yet says ``-D release=main``.
release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
extensions = ["myst_parser"]
exclude_patterns = ["example-flakefighter"]
root_doc = "index"
nitpicky = True

html_theme = "furo"
html_title = "flakefighters"
html_copy_source = False
html_show_sphinx = False
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("versions.js", {"defer": "defer"})]
templates_path = ["templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
pygments_style = "tango"
pygments_dark_style = "github-dark"

# `sphinx-build -b linkcheck` asks for every address that the pages name, but for examples.
linkcheck_ignore = [r"https?://([\w-]+\.)*example\.(org|com)", r"https?://(localhost|127\.0\.0\.1)"]
linkcheck_timeout = 20
linkcheck_retries = 2

# MyST spells anchors as forges do, so that one link is right in both places.
myst_heading_anchors = 6

# -- from pages of a repository to pages of a site ------------------------------------------------

#: Files outside of docs/ that are pages, or stand for one.  The two stubs in docs/ lead to the
#: files where the repository is read, and are filled with their text here.
STANDS_FOR = {
    ROOT / "CHANGELOG.md": DOCS / "changes.md",
    ROOT / "CONTRIBUTING.md": DOCS / "contributing.md",
    ROOT / "README.md": DOCS / "index.md",
    DOCS: DOCS / "index.md",
}
FILLED = {"changes": ROOT / "CHANGELOG.md", "contributing": ROOT / "CONTRIBUTING.md"}

_FENCE = re.compile(r"^([ ]*)```.*?^\1```[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([\w/.-]+)\.md\)", re.MULTILINE)


def links_rewritten(text: str, written_for: Path, page: Path) -> str:
    """A page's text with links as they must be on the site.

    ``written_for`` is the file that the links are relative to, ``page`` the one that is built.
    """

    def one(match: re.Match[str]) -> str:
        path, mark, anchor = match[2].partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match[0]
        target = (written_for.parent / path).resolve()
        target = STANDS_FOR.get(target, target)
        if (target / "README.md").is_file():
            target /= "README.md"
        link = Path(os.path.relpath(target, page.parent)).as_posix()
        if target.is_file() and not target.is_relative_to(DOCS):
            return f"{{download}}`{match[1].strip('`')} <{link}>`"
        return f"[{match[1]}]({link}{mark}{anchor})"

    parts = []
    end = 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(one, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(one, text[end:])])


def navigation(index: str) -> Iterator[str]:
    """Hidden tables of contents, one for each section of the index that lists pages."""
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption = part.partition("\n")[0]
        entries = [f"{title} <{name}>" for title, name in _ENTRY.findall(part)]
        if entries:
            head = ["```{toctree}", ":hidden:", f":caption: {caption}", ""]
            yield "\n".join([*head, *entries, "```"])


def read(app: Any, docname: str, source: list[str]) -> None:
    """Make a page of the site of a page of the repository."""
    page = Path(app.env.doc2path(docname))
    written_for = FILLED.get(docname, page)
    if written_for != page:
        app.env.note_dependency(str(written_for))
        source[0] = written_for.read_text("utf-8")
    source[0] = links_rewritten(source[0], written_for, page)
    if docname == app.config.root_doc:
        source[0] += "\n\n" + "\n\n".join(navigation(source[0])) + "\n"
    if docname == "decisions/README":
        source[0] += "\n\n```{toctree}\n:maxdepth: 1\n:glob:\n\n0*\n```\n"


class Psql(SqlLexer):  # type: ignore[misc]
    """SQL with the commands of psql, as the administrator's pages have it."""

    tokens = {"root": [(r"\\\w+", Name.Builtin), inherit]}  # noqa: RUF012


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_lexer("sql", Psql)
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
