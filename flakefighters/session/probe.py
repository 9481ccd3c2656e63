"""The program that tells how pytest would run here: its options, folders and path, as JSON.

``python -m flakefighters.session.probe FILE``, in the anchor's folder.  Plugins and conftest files
are loaded, so it is not done in the command's own process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

__all__ = ["main"]


def main(file: str) -> None:
    """Write the answer to ``file``."""
    path = list(sys.path)
    from _pytest.config import _prepareconfig

    from flakefighters.session.bench import told_by

    config = _prepareconfig(["-p", "no:cacheprovider"])
    try:
        answer = {**told_by(config), "path": path}
    finally:
        config._ensure_unconfigure()
    Path(file).write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
