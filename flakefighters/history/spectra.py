"""What attempts at flaky tests ran, from the runs that watched their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.history.content import from_json, to_json
from flakefighters.model.spectra import Spectrum

if TYPE_CHECKING:
    from flakefighters.history.database import Database
    from flakefighters.history.unreadable import Unreadable

__all__ = ["KEY", "spectra"]

#: The key in ``extra`` of a run: node id to :class:`~flakefighters.model.spectra.Spectrum`.
KEY: Final = "spectra"

_SPECTRA: Final = """
SELECT r.id, r.extra FROM {s}run r WHERE r.id IN {hash:runs} AND r.extra LIKE '%"spectra"%'
"""


def spectra(
    database: Database, runs: Sequence[str], unreadable: Unreadable
) -> dict[str, dict[str, Spectrum]]:
    """Run to node id to spectrum, in the order of ``runs``; runs without any are left out."""
    rows: dict[str, str] = dict(database.query(_SPECTRA, runs=to_json(list(runs))))
    found: dict[str, dict[str, Spectrum]] = {}
    for run in runs:
        if run in rows:
            with unreadable.tolerated(run, "spectra"):
                told = from_json(rows[run]).get(KEY, {})
                found[run] = {nodeid: Spectrum.from_json(one) for nodeid, one in told.items()}
    return found
