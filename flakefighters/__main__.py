"""``python -m flakefighters`` is the command ``flakefighters``."""

from __future__ import annotations

import sys

from flakefighters.cli import main

if __name__ == "__main__":
    sys.exit(main())
