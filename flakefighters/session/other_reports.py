"""Reports for programs, registered in sessions that ask for one: our own JSON, pytest's JUnit, and
our sections in those of pytest-json-report and pytest-html."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flakefighters.capture.reports import worker_of
from flakefighters.judging.results import without_traces
from flakefighters.lazy import as_installed
from flakefighters.originals import real
from flakefighters.session import printing

if TYPE_CHECKING:
    from flakefighters.reports.session import Told
    from flakefighters.session.hooks import Session

__all__ = ["JUnitReport", "OtherReports", "register_reports"]


def register_reports(config: Any, session: Session) -> None:
    """Register the reports; UsageError for a path that is a folder."""
    path: Path | None = None
    if session.asked.json is not None:
        path = Path(os.path.expandvars(session.asked.json)).expanduser().absolute()
        if path.is_dir():
            raise pytest.UsageError(f"--flakefighters-json must be a file, {path} is a folder")
        if path.is_file():
            path = path.resolve()  # what a link leads to is replaced, not the link
    config.pluginmanager.register(OtherReports(session, path), "flakefighters-reports")


class JUnitReport:
    """Completes pytest's own report before it is written."""

    def __init__(self, session: Session) -> None:
        with as_installed():
            from flakefighters.reports.junit import Properties
        self._session, self._properties = session, Properties(session.config)

    def pytest_collectreport(self, report: Any) -> None:
        """What cannot be collected has an element."""
        if report.failed:
            self._properties.seen(report, worker_of(report))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Before pytest writes the element, and closes it perhaps."""
        self._properties.seen(report, worker_of(report))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """All is judged: reports are written next."""
        done = self._session.finished
        if done is not None and done.run is not None and real.getpid() == self._session.pid:
            self._properties.write(done.run, done.judged.joint, self._session.names.pytests)
        return (yield)


class OtherReports:
    """Tells programs of a session.  Trouble is one line of warning."""

    def __init__(self, session: Session, path: Path | None) -> None:
        self._session, self._path = session, path
        #: A device or a pipe is written to; a file is replaced as a whole.
        self._special = path is not None and path.exists() and not path.is_file()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: Any) -> Generator[None, Any, Any]:
        """Write our JSON when all others are done, so that the exit code is the last one."""
        try:
            return (yield)
        finally:
            if self._path is not None and real.getpid() == self._session.pid:
                try:
                    self._write(self._path, int(session.exitstatus))
                except Exception as error:  # a full disk, for example; the session must go on
                    self._warn(f"cannot write {self._path}: {printing.reason(error)}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        """Our section in the report of pytest-json-report."""
        try:
            with as_installed():
                from flakefighters.reports.session import section_record
            json_report["flakefighters"] = section_record(self._told())
        except Exception as error:  # as above
            self._session.notes.append(f"no section in the JSON report: {printing.reason(error)}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, postfix: list[str]) -> None:
        """Our section in the report of pytest-html."""
        try:
            with as_installed():
                from flakefighters.reports.session import html_section
            postfix.append(html_section(self._told()))
        except Exception as error:  # as above
            self._session.notes.append(f"no section in the HTML report: {printing.reason(error)}")

    def _told(self) -> Told:
        with as_installed():
            from flakefighters.reports.session import Told
        session = self._session
        done, resolution = session.finished, session.start.resolution
        run = None if done is None else done.run
        return Told(
            run=without_traces(run or session.run()),
            joint=done.judged.joint if done else (),
            said=done.judged.said if done else (),
            proved=done.proved if done else (),
            pytests=session.names.pytests,
            profile={
                "name": resolution.profile,
                "reason": resolution.reason,
                "history": resolution.target.display,
                "recorded_to": resolution.record_to.display,
                "read_only": resolution.target.read_only,
            },
            saved=done is not None and done.saved,
            localised=session.localised,
            notes=[session.redactor(note) for note in dict.fromkeys(session.notes)],
        )

    def _write(self, path: Path, exit_code: int) -> None:
        with as_installed():
            from flakefighters.reports.records import dumps
            from flakefighters.reports.session import session_record
        text = dumps(session_record(self._told(), exit_code))
        real.makedirs(str(path.parent), exist_ok=True)
        beside = str(path) if self._special else f"{path}.{real.getpid()}.tmp"
        try:
            with real.open(beside, "w", encoding="ascii") as file:
                file.write(text)
            if not self._special:
                real.replace(beside, str(path))
        except OSError:
            if not self._special:
                self._session.world.remove(beside)
            raise

    def _warn(self, note: str) -> None:
        line = printing.warning(self._session.redactor(note), self._session.where)
        terminal = self._session.config.pluginmanager.getplugin("terminalreporter")
        if terminal is None:
            print(line, file=sys.stderr)
        else:
            terminal.line(line, yellow=True)
