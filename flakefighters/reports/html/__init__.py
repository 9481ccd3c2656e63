"""A report as one HTML file that needs nothing else: no network, no script from elsewhere.

The page's own style and script stand in files beside this one, as they are written into it.  A
Content-Security-Policy admits them by their hashes, and nothing else; what comes from a project
is JSON in an element that is not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

from flakefighters.reports.escape import escape

__all__ = ["SCRIPTS", "STYLES", "page"]

#: In the order in which they stand in the page.
STYLES: Final = ("base.css", "parts.css", "charts.css", "views.css", "print.css")
SCRIPTS: Final = (
    *("dom.js", "data.js", "words.js", "table.js", "charts.js"),
    *("failure.js", "run.js", "tests.js", "test.js", "grid_paint.js", "grid.js", "grid_table.js"),
    *("trends.js", "decisions.js", "app.js"),
)


def page(title: str, record: Mapping[str, Any]) -> str:
    """The whole file; texts in ``record`` must be visible already."""
    style = _joined(STYLES)
    script = f'"use strict";\n(() => {{\n{_joined(SCRIPTS)}}})();\n'
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "title": escape(title, "html"),
        "policy": policy,
        "style": style,
        "data": _data(record),
        "script": script,
    }
    # Split first: nothing in a value is taken for another mark.
    pieces = re.split(r"\{\{(\w+)\}\}", _read("page.html"))
    return "".join(parts[piece] if at % 2 else piece for at, piece in enumerate(pieces))


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")


def _joined(names: Iterable[str]) -> str:
    return "".join(map(_read, names))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(record: Mapping[str, Any]) -> str:
    """JSON that no HTML parser finds anything in, whatever it holds."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
