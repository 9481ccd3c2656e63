"""Open the history of a checkout, for pytest and for the command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flakefighters.errors import ForeignDatabaseError
from flakefighters.history import open_history
from flakefighters.session.identities import identities

if TYPE_CHECKING:
    from flakefighters.history import History
    from flakefighters.model import Target
    from flakefighters.state.checkout import Checkout

__all__ = ["open_checked"]


def open_checked(
    target: Target, checkout: Checkout, *, create: bool, deadline: float | None = None
) -> History:
    """Open a history, but never a file that git tracks: a commit could replace it.

    One that this user cannot write is opened for reading: there is no reason not to judge by it.
    """
    path = target.path
    if path is not None and os.path.lexists(path):
        if checkout.is_tracked(path):
            raise ForeignDatabaseError(
                f"{target.display} is tracked by git, so anybody who may commit could change it",
                remedy=f"run 'git rm --cached {path.name}' and add it to .gitignore",
            )
        # SQLite makes files beside it.
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
            target = target._replace(read_only=True)
    history = open_history(target, create=create, deadline=deadline)
    history.aliases = identities(checkout)
    return history
