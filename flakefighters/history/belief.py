"""The rules of :mod:`flakefighters.model.trust` as a condition on rows of ``run``.

What a question leaves out needs no place in its answer: otherwise a flood of runs that nobody
believes would hide the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.history.content import to_json
from flakefighters.history.database import TRUST_RANKS
from flakefighters.ids import storable
from flakefighters.model import Came, Trust, as_read, believed
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model import RunHead, Use

__all__ = ["RANK", "Reader", "condition"]

#: How far a row of ``run`` is trusted.
RANK: Final = (
    f"coalesce((SELECT min(a.trust) FROM {{s}}arrival a WHERE a.run = r.id), "  # noqa: S608
    f"{TRUST_RANKS[Trust.UNTRUSTED]})"
)

#: A branch that no run is of.
_OTHER: Final = "\x00"


class Reader(NamedTuple):
    """Who asks for evidence: the run that is judged, and how the history is reached from it."""

    judged: RunHead
    #: Commits that what is checked out contains, newest first.
    commits: Sequence[str] = ()
    came: Came = Came.HERE
    #: How far the user's configuration trusts the file.
    given: Trust | None = None

    def uses(self, head: RunHead, use: Use) -> bool:
        """The same question for one run, whose trust is that of its history."""
        known = as_read(head, self.came, self.given)
        return believed(known, use, self.judged, merged=head.commit in self.commits)


def condition(reader: Reader, use: Use) -> tuple[str, dict[str, object]]:
    """A condition on ``r``, a row of ``run``, and its parameters: it may serve for ``use``.

    Runs with a debugger fit as well: that is seen when they are read.
    """
    judged = reader.judged
    plain = judged._replace(id="", pr=None, commit=None, context={})
    ranks: dict[str, list[int]] = {"none": [], "own": [], "merged": [], "other": []}
    for trust, rank in TRUST_RANKS.items():
        for name, pr in (("none", None), ("own", judged.pr), ("other", _OTHER), ("merged", _OTHER)):
            if name == "own" and pr is None:
                continue
            run = as_read(plain._replace(trust=trust, pr=pr), reader.came, reader.given)
            if believed(run, use, judged, merged=name == "merged"):
                ranks[name].append(rank)
    params: dict[str, object] = {f"{name}_ranks": to_json(found) for name, found in ranks.items()}
    params["own_pr"] = storable(judged.pr or "")
    params["merged_commits"] = to_json(list(reader.commits))
    text = (
        f"((r.pr IS NULL AND {RANK} IN {{number:none_ranks}})"
        f" OR (r.pr = :own_pr AND {RANK} IN {{number:own_ranks}})"
        f" OR (r.pr <> :own_pr AND {RANK} IN {{number:other_ranks}})"
        f" OR (r.pr <> :own_pr AND r.commit_id IN {{text:merged_commits}}"
        f" AND {RANK} IN {{number:merged_ranks}}))"
    )
    return text, params
