"""Two histories: copy one anew, fetch what is missing, send what is missing.

Everything here takes open histories or the way to one and returns what was done as data; nothing
prints.  Facts are written once under keys that are the same everywhere, so any order and any
number of transfers end in the same content.
"""

from __future__ import annotations

from flakefighters.sync.clone import clone
from flakefighters.sync.pull import pull
from flakefighters.sync.push import push
from flakefighters.sync.results import Conflict, Progress, Report, Transfer

__all__ = ["Conflict", "Progress", "Report", "Transfer", "clone", "pull", "push"]
