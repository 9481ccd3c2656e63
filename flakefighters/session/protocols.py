"""The part of the plugin object that finishing and printing need, as a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flakefighters.capture.journal import Journal
    from flakefighters.capture.nodeids import Names
    from flakefighters.capture.recorder import Recorder
    from flakefighters.capture.redact import Redactor
    from flakefighters.model import RunHead
    from flakefighters.model.spectra import Localised
    from flakefighters.session.finish import Finished, Plan
    from flakefighters.session.process_pollution import World
    from flakefighters.session.settings import Asked
    from flakefighters.session.start import Start

__all__ = ["SessionView"]


class SessionView(Protocol):
    """A session that is being recorded; ``session.hooks`` has the one that there is."""

    #: pytest's.
    config: Any
    asked: Asked
    start: Start
    world: World
    recorder: Recorder
    journal: Journal
    names: Names
    redactor: Redactor
    head: RunHead
    #: For whom lines are escaped: "terminal" or "ci".
    where: str
    interrupted: bool
    notes: list[str]
    #: The process in which the session began.
    pid: int
    #: What became of the exit code, in words; empty if it is pytest's own business.
    ending: str
    #: None as long as it is not over.
    finished: Finished | None
    #: What sets the failing attempts of each flaky test apart, if that was asked for.
    localised: Sequence[Localised]
    #: Commands for the CI service, to be read from the log.
    annotations: Sequence[str]

    def plan(self) -> Plan:
        """What the end of the session needs."""
        ...
