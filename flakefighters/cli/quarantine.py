"""The commands ``quarantine``: tests whose flaky failures need not fail a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flakefighters.capture.nodeids import own_file
from flakefighters.cli.deciding import Desk, last_day, sit_down
from flakefighters.cli.options import (
    AsJson,
    DatabaseUrl,
    Limit,
    Profile,
    ProjectName,
    RootDir,
)
from flakefighters.cli.output import say, show, show_json, write
from flakefighters.cli.place import Asked
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.history.event_text import from_text, to_text
from flakefighters.history.events import add as add_events
from flakefighters.judging.proposals import (
    RELEASE,
    Proposal,
    passes_since,
    to_quarantine,
    to_settle,
)
from flakefighters.model.decisions import OFF, ON, QUARANTINE, Event, function_of, standing
from flakefighters.reports.decisions import day, decision_text, event_record, quarantine_table
from flakefighters.reports.page import Span, line
from flakefighters.state.codeowners import owners
from flakefighters.words import count

__all__ = ["add", "export", "import_", "list_them", "remove", "suggest"]

#: Runs that proposals are made of.
_LOOKED_AT = 500

_NodeId = Annotated[
    str,
    typer.Argument(
        metavar="NODEID",
        help="A test as pytest takes it, or a function of tests without its parameters.",
    ),
]
_Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]
_File = Annotated[
    str, typer.Argument(metavar="FILE", help="The file; - is standard output or input.")
]
#: No larger file is read.
_MOST_BYTES = 20_000_000


def add(
    nodeid: _NodeId,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="The last day: 2026-12-31, 30d or 2w."),
    ] = None,
    issue: Annotated[
        str | None, typer.Option("--issue", metavar="URL", help="Where it is dealt with.")
    ] = None,
    reason: _Reason = None,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="WHO", help="Who deals with it (default: CODEOWNERS)."),
    ] = None,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Put a test into quarantine, or change its terms.

    It still runs and is recorded; --flakefighters-quarantine tells pytest what to do about it.
    """
    asked = Asked(profile, database_url, rootdir, project_name)
    with sit_down(asked, "quarantine") as desk:
        target = desk.test(nodeid)
        owner = owner or owners(desk.place.checkout.base, own_file(target))
        last = None if until is None else last_day(until, desk.now)
        said = {"until": last, "issue": issue, "reason": reason, "owner": owner}
        _done(desk, desk.decide(QUARANTINE, target, ON, **said), as_json=as_json)


def remove(
    nodeid: _NodeId,
    reason: _Reason = None,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Take a test out of quarantine."""
    asked = Asked(profile, database_url, rootdir, project_name)
    with sit_down(asked, "quarantine") as desk:
        target = desk.test(nodeid)
        if target not in {one.target for one in _quarantined(desk.events)}:
            raise NotFoundError(
                f"{target} is not in quarantine", remedy="see `flakefighters quarantine list`"
            )
        _done(desk, desk.decide(QUARANTINE, target, OFF, reason=reason), as_json=as_json)


def list_them(
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """List the tests in quarantine.

    Those whose time is over are listed as well, and those that passed often enough to be released.
    """
    with sit_down(Asked(profile, database_url, rootdir, project_name), "") as desk:
        held = _quarantined(desk.events)
        passed = _passed(desk, held)
        rows = [(one, passed[one.target], passed[one.target] >= RELEASE) for one in held]
        if as_json:
            show_json(
                [
                    event_record(one, desk.now, passed=number, release=release)
                    for one, number, release in rows
                ]
            )
        elif rows:
            show([quarantine_table(rows, desk.now)])
        else:
            say("no test is in quarantine")
        for proposal in to_settle(held, passed, day(desk.now)):
            say(_line(proposal))


def suggest(
    as_json: AsJson = False,
    limit: Limit = 20,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Propose tests for quarantine and for release.

    Each with its evidence; nothing is changed.
    """
    with sit_down(Asked(profile, database_url, rootdir, project_name), "") as desk:
        held = _quarantined(desk.events)
        found = to_settle(held, _passed(desk, held), day(desk.now))
        rows = desk.history.test_rows(desk.project.identity, _LOOKED_AT)
        found += to_quarantine(rows, standing(desk.events))
        last = {one.target: _last_verdict(desk, one) for one in found[: limit or None]}
    if as_json:
        show_json([{**one._asdict(), "last": last[one.target]} for one in found[: limit or None]])
        return
    for one in found[: limit or None]:
        show([line(Span(one.what, "strong"), f" {one.target}: {one.why}")])
        if last[one.target]:
            show([line(Span(f"    last: {last[one.target]}", "faint"))])
    if not found:
        say("nothing to propose: no test was flaky in two of the newest 500 runs")
    elif limit and len(found) > limit:
        say(f"and {count(len(found) - limit, 'more proposal')} (--limit 0 shows all)")


def export(
    file: _File = "-",
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Write quarantine and marks as text.

    It can be committed: every decision is one line of JSON, and later ones are added at the end.
    """
    with sit_down(Asked(profile, database_url, rootdir, project_name), "") as desk:
        text = to_text(desk.events)
    if file == "-":
        write(text)
        return
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}", origin="FILE") from None
    say(f"wrote {count(len(desk.events), 'event')} to {file}")


def import_(
    file: _File,
    as_json: AsJson = False,
    project_name: ProjectName = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Add what `quarantine export` wrote.

    What is known already is passed over.
    """
    events, wrong = from_text(_read(file))
    asked = Asked(profile, database_url, rootdir, project_name)
    with sit_down(asked, "quarantine", create=True) as desk:
        own = [one for one in events if one.project == desk.project.identity]
        new = add_events(desk.history.database, desk.project, own)
    others = sorted({one.project for one in events} - {desk.project.identity})
    if as_json:
        told = {"new": new, "known": len(own) - new, "refused": wrong, "other_projects": others}
        show_json(told)
    else:
        show([line(f"added {count(new, 'event')}, {len(own) - new} there already")])
    if others:
        say(f"left out: events of {', '.join(others)} (--project NAME)")
    for one in wrong:
        say(f"{file}: {one}", "bad")
    if wrong:
        raise typer.Exit(1)


def _read(file: str) -> str:
    """The text of a file; ConfigError if there is none, or too much."""
    try:
        if file == "-":
            data = typer.get_binary_stream("stdin").read(_MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as source:
                data = source.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}", origin="FILE") from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{file} is larger than {_MOST_BYTES} bytes", origin="FILE")
    return data.decode("utf-8", "replace")


def _quarantined(events: list[Event]) -> list[Event]:
    """Those that stand, expired ones too, by test."""
    stand = standing(events).values()
    held = [one for one in stand if one.kind == QUARANTINE and one.state == ON]
    return sorted(held, key=lambda one: one.target)


def _passed(desk: Desk, held: list[Event]) -> dict[str, int]:
    """How often each has passed since it is in quarantine; of several tests the least."""
    if not held:
        return {}
    identity = desk.project.identity
    names = [row.nodeid for row in desk.history.test_rows(identity)]
    passed = {}
    for one in held:
        first = _first(desk.events, one)
        tests = [name for name in names if one.target in (name, function_of(name))]
        times = [
            passes_since(desk.history.executions_of(name, identity, 4 * RELEASE), first)
            for name in tests
        ]
        passed[one.target] = min(times, default=0)
    return passed


def _first(events: list[Event], event: Event) -> int:
    """Since when the test is in quarantine, whatever was said of it in between."""
    since = event.at
    mine = (one for one in events if (one.kind, one.target) == (event.kind, event.target))
    for one in sorted(mine, key=lambda one: one.id, reverse=True):
        if one.state != ON:
            break
        since = min(since, one.at)
    return since


def _last_verdict(desk: Desk, proposal: Proposal) -> str:
    """What was said of the last failure of a test that is proposed for quarantine."""
    from flakefighters.reports.verdicts import of_result

    if proposal.what != "quarantine":
        return ""
    rows = desk.history.executions_of(proposal.target, desk.project.identity, _LOOKED_AT)
    verdicts = (of_result(row.verdicts) for row in rows)
    last = next((one for one in verdicts if one is not None), None)
    return "" if last is None else f"{last.label.value} [{last.confidence.value}] - {last.reason}"


def _line(proposal: Proposal) -> str:
    return f"{proposal.what} {proposal.target}: {proposal.why}"


def _done(desk: Desk, event: Event, *, as_json: bool) -> None:
    record: dict[str, Any] = event_record(event, desk.now)
    if as_json:
        show_json(record)
    else:
        show([line(Span(event.target, "strong"), f" {decision_text(event, desk.now)}")])
