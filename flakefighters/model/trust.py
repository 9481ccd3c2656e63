"""Whom a verdict believes: one table, and the one function that answers by it.

How far a run is believed (its :class:`~flakefighters.model.Trust`) is set by the way it came.
What it may then be used for depends on who asks: the run that is judged, with a trust and a pull
request of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from flakefighters.model.facts import RunHead, Trust

__all__ = ["TABLE", "Came", "Scope", "Use", "as_read", "believed", "doubt", "imported_from"]


class Use(enum.StrEnum):
    """What a verdict may use an earlier run for."""

    BASELINE = "baseline"  # a pass on another state: what changed since is asked
    PROOF = "proof"  # a pass on the same state
    STREAK = "streak"  # a failure that makes others persistent
    BREAK = "break"  # a pass that ends such a row of failures
    LABEL = "label"  # what was said of a failure at the time
    FILES = "files"  # the list of the files of a state
    ACT = "act"  # a pass on the same state for which a failure may be left out of the exit code


class Scope(enum.Enum):
    """Who may use a run."""

    EVERYBODY = enum.auto()
    SAME_PULL_REQUEST = enum.auto()
    SAME_MACHINE = enum.auto()
    NOBODY = enum.auto()


def _same(scope: Scope) -> Mapping[Use, Scope]:
    return dict.fromkeys(Use, scope)


#: Trust by use.  Each row is the same for all uses today; a use that is to differ gets its own.
TABLE: Final[Mapping[Trust, Mapping[Use, Scope]]] = {
    Trust.PROTECTED: _same(Scope.EVERYBODY),
    Trust.PR: _same(Scope.SAME_PULL_REQUEST),
    Trust.LOCAL: _same(Scope.SAME_MACHINE),
    Trust.UNTRUSTED: _same(Scope.NOBODY),
}

#: Uses that tell something of a state, whatever branch it was met on.
_OF_THE_STATE: Final = frozenset({Use.PROOF, Use.FILES})
#: Uses for which a run with a debugger is no good: a person may have changed what it did.
_UNDISTURBED: Final = frozenset({Use.BASELINE, Use.PROOF, Use.ACT})


def believed(evidence: RunHead, use: Use, judged: RunHead, *, merged: bool = False) -> bool:
    """Whether the verdict on ``judged`` may use ``evidence`` so.

    ``judged`` has the trust with which it will be, or was, recorded.  ``merged`` says that the
    commit of ``evidence`` is an ancestor of what is checked out: then a run of a pull request is
    part of the past of every branch.  It does not help runs of trust ``pr``, since the commit is
    what such a run says of itself.
    """
    if use in _UNDISTURBED and evidence.context.get("debugger"):
        return False
    if evidence.origin.get("imported"):  # nobody knows on what state it ran
        return False
    own = evidence.pr is not None and evidence.pr == judged.pr
    scope = TABLE[evidence.trust][use]
    if scope is Scope.NOBODY:
        return False
    if scope is Scope.SAME_PULL_REQUEST:
        return own
    if scope is Scope.SAME_MACHINE and judged.trust in (Trust.PROTECTED, Trust.PR):
        return False
    # What another pull request never merged is no past of ours.
    return use in _OF_THE_STATE or evidence.pr is None or own or merged


class Came(enum.Enum):
    """How a history is reached from here."""

    HERE = enum.auto()  # the run that is judged is recorded in it
    FILE = enum.auto()  # a file that is only read, of unknown origin
    ROLES = enum.auto()  # a server that gives roles, and with them trust
    SERVER = enum.auto()  # a server that does not


def as_read(head: RunHead, came: Came, given: Trust | None = None) -> RunHead:
    """The run with the trust that it has for its reader there.

    ``given`` is how far the user's own configuration trusts a file: whoever made it could claim
    anything.  Runs of pull requests are believed as such at most, and what the file itself does
    not believe is not believed.
    """
    trust = head.trust
    if came is Came.FILE and trust is not Trust.UNTRUSTED:
        trust = given or Trust.UNTRUSTED
        if trust is Trust.PROTECTED and head.pr is not None:
            trust = Trust.PR
    elif came is Came.ROLES and trust is Trust.LOCAL:
        trust = Trust.UNTRUSTED  # another machine's own run
    return head if trust is head.trust else head._replace(trust=trust)


def imported_from(run: RunHead) -> str | None:
    """ "imported from JUnit (pytest)" if another tool recorded the run."""
    found = run.origin.get("imported")
    return f"imported from {found}" if isinstance(found, str) and found else None


def doubt(evidence: RunHead, came: Came) -> str:
    """Why a run is not believed, to stand after "passed in run 9f3c, which ".

    ``evidence`` has the trust that it has in the history it was found in.
    """
    if evidence.context.get("debugger"):
        return "ran with a debugger"
    if found := imported_from(evidence):
        return f"was {found} and proves nothing"
    if evidence.trust is Trust.UNTRUSTED or came is Came.FILE:
        return "came from a file and is not believed"
    if evidence.trust is Trust.LOCAL and evidence.pr is None:
        return "was recorded on another machine and is not believed here"
    return "is of another pull request and is not believed here"
