"""What a CI service shows of a session: annotations, a job's summary.  Imported in CI only.

Trouble with it is one line of warning; the exit code and pytest's own output stay as they are.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.lazy import as_installed
from flakefighters.originals import real
from flakefighters.session import printing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flakefighters.reports.ci_commands import Place, Told
    from flakefighters.session.hooks import Session

__all__ = ["Surfaces", "register_surfaces"]

#: Services that show more than a log.
_KNOWN: Final = frozenset({"GitHub Actions", "Azure Pipelines", "TeamCity", "Buildkite"})
#: What GitHub takes from one step, with room for what others add.
_STEP: Final = 1024 * 1024 - 4096
#: How long Buildkite's agent may take.
_SECONDS: Final = 10.0


def register_surfaces(session: Session) -> None:
    """Register them where the service has any."""
    ci = session.start.resolution.ci
    # The output of a run within a test is the test's own, and no log of the job.
    if ci is not None and ci.vendor in _KNOWN and "PYTEST_CURRENT_TEST" not in os.environ:
        surfaces = Surfaces(session, ci.vendor)
        session.config.pluginmanager.register(surfaces, "flakefighters-ci")


class Surfaces:
    """Tells the CI service of the verdicts when the session is over."""

    def __init__(self, session: Session, vendor: str) -> None:
        self._session, self._vendor = session, vendor
        #: Where each phase of a test failed last, by pytest's node id: path from rootdir, line.
        self._lines: dict[tuple[str, str], tuple[str, int]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember where a test failed; its text has no lines that could be relied on."""
        if not getattr(report, "failed", False):
            return
        try:
            root = self._session.config.rootpath
            self._lines[report.nodeid, report.when] = _failed_at(report, root)
        except Exception:  # a report of a kind of its own: the annotation has no line
            return

    def pytest_sessionfinish(self) -> None:
        """The session has judged by now, and pytest's summary follows."""
        session = self._session
        done = session.finished
        if done is None or done.run is None or real.getpid() != session.pid:
            return
        try:
            self._tell()
        except Exception as error:  # whatever it is: the session goes on
            self._note("cannot tell the CI service of the verdicts", error)

    def _tell(self) -> None:
        with as_installed():
            from flakefighters.reports.ci_commands import COMMANDS
        failures = self._failures()
        session, make = self._session, COMMANDS.get(self._vendor)
        if make is not None:
            session.annotations = make(failures)
        environ = session.world.environ
        try:
            if self._vendor == "GitHub Actions":
                self._github(environ.get("GITHUB_STEP_SUMMARY"), failures)
            elif self._vendor == "Azure Pipelines" and failures:
                self._azure(environ.get("AGENT_TEMPDIRECTORY"), failures)
            elif self._vendor == "Buildkite" and failures:
                self._buildkite(failures)
        except Exception as error:  # a full disk, an agent that hangs: the session goes on
            self._note(f"cannot write the summary for {self._vendor}", error)

    def _note(self, what: str, error: Exception) -> None:
        self._session.notes.append(f"{what}: {printing.reason(error)}")

    # -- what is told ----------------------------------------------------------------------

    def _failures(self) -> list[Told]:
        given = printing.failures(self._session)
        if not given:
            return []
        with as_installed():
            from flakefighters.reports.ci_commands import Told
            from flakefighters.reports.evidence import evidence_lines

        told = []
        for verdict, nodeid, part, failure, _ in given:
            place = self._place(verdict.nodeid, nodeid, failure.phase.value)
            said = list(evidence_lines(verdict.evidence))
            told.append(
                Told(
                    label=verdict.label,
                    nodeid=nodeid,
                    reason=verdict.reason,
                    place=place,
                    part=part,
                    introduced=verdict.introduced,
                    evidence=said,
                    text=failure.text,
                )
            )
        return told

    def _place(self, based: str, nodeid: str, phase: str) -> Place:
        """The file, relative to the repository's root, and the line."""
        with as_installed():
            from flakefighters.reports.ci_commands import Place
        path, line = self._lines.get((nodeid, phase), ("", 0))
        if path:
            base = str(self._session.start.checkout.base)
            full = self._session.config.rootpath / path
            there = os.path.relpath(full, base).replace(os.sep, "/")
            if not there.startswith("../"):
                return Place(there, line)
        return Place(based.partition("::")[0])

    def _summary(self, failures: Sequence[Told], room: int) -> str:
        with as_installed():
            from flakefighters.reports.ci_summary import LONGEST, summary
        session = self._session
        counts = printing.outcome(session)
        tests = len(session.recorder.suite)
        return summary(failures, counts, session.head.id[-4:], tests, min(room, LONGEST))

    # -- where -----------------------------------------------------------------------------

    def _github(self, path: str | None, failures: Sequence[Told]) -> None:
        """Append to the step's summary; several runs of pytest in one step share it."""
        if not path:
            return
        with real.open(path, "a", encoding="utf-8") as file:
            text = self._summary(failures, _STEP - file.tell())
            if not text:
                self._session.notes.append("the summary of this step is full")
            file.write(text)

    def _azure(self, folder: str | None, failures: Sequence[Told]) -> None:
        """A file in the folder that the agent empties after the job, and a command to take it."""
        if not folder or not folder.isprintable():
            return
        with as_installed():
            from flakefighters.reports.ci_commands import azure_data
        path = Path(folder) / f"flakefighters-{self._session.head.id}.md"
        with real.open(str(path), "w", encoding="utf-8") as file:
            file.write(self._summary(failures, _STEP))
        upload = f"##vso[task.uploadsummary]{azure_data(str(path))}"
        self._session.annotations = [*self._session.annotations, upload]

    def _buildkite(self, failures: Sequence[Told]) -> None:
        """An annotation of the build, if the agent is at hand."""
        from shutil import which

        from flakefighters.model import Label
        from flakefighters.session.subprocesses import run

        environ = self._session.world.environ
        agent = which("buildkite-agent", path=environ.get("PATH"))
        if agent is None:
            return
        style = "error" if any(one.label is Label.GENUINE for one in failures) else "warning"
        context = f"flakefighters-{self._session.head.id}"
        command = [agent, "annotate", "--style", style, "--context", context]
        text = self._summary(failures, _STEP)
        run(command, environ, text.encode("utf-8", "replace"), _SECONDS)


def _failed_at(report: Any, root: Path) -> tuple[str, int]:
    """The last line of the test's own file in the traceback, else where the test begins."""
    path, begins, _ = report.location
    mine = (path, str(root / path))  # the style of the traceback decides which of them it has
    trace = getattr(report.longrepr, "reprtraceback", None)
    entries = [getattr(one, "reprfileloc", None) for one in getattr(trace, "reprentries", ())]
    crash = getattr(report.longrepr, "reprcrash", None)
    for found in (*reversed(entries), crash):
        if found is not None and str(found.path) in mine:
            return path, int(found.lineno)
    return path, int(begins or 0) + 1
