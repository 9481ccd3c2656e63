"""Opening the history of a checkout, for both doors."""

from __future__ import annotations

from flakefighters.errors import ForeignDatabaseError
from flakefighters.history import History, open_history
from flakefighters.model import Target
from flakefighters.session.identities import identities
from flakefighters.state.checkout import Checkout

__all__ = ["open_checked"]


def open_checked(
    target: Target, checkout: Checkout, *, create: bool, deadline: float | None = None
) -> History:
    """Open a history, but never a file that git tracks: a commit could replace it."""
    if target.path is not None and target.path.exists() and checkout.is_tracked(target.path):
        raise ForeignDatabaseError(
            f"{target.display} is tracked by git, so anybody who may commit could change it",
            remedy=f"run 'git rm --cached {target.path.name}' and add it to .gitignore",
        )
    history = open_history(target, create=create, deadline=deadline)
    history.aliases = identities(checkout)
    return history
