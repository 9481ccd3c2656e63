"""The commands ``import``: what other tools wrote down becomes part of the history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError, ConflictError
from flakefighters.history import History
from flakefighters.history.intake import Saved
from flakefighters.history.run_checks import Limits, check_run
from flakefighters.importing.parts import Bounds
from flakefighters.importing.runs import Found, Made, content_tail, make_run
from flakefighters.model import Project, Trust
from flakefighters.records import record
from flakefighters.reports.page import Line, line
from flakefighters.session.identities import local_identity
from flakefighters.session.open_history import open_checked
from flakefighters.session.settings import redactor_of
from flakefighters.words import count

__all__ = ["junit", "peer"]

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would come.")]
_Into = Annotated[
    str | None,
    typer.Option(
        "--project", metavar="NAME", help="Import into this project instead of the folder's own."
    ),
]
_Branch = Annotated[
    str | None, typer.Option("--branch", metavar="NAME", help="The branch of these runs.")
]


def junit(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="XML files, folders, zip archives.")
    ],
    run_url: Annotated[
        str | None, typer.Option("--run-url", metavar="URL", help="Where CI shows these runs.")
    ] = None,
    commit: Annotated[
        str | None, typer.Option("--commit", metavar="SHA", help="The commit that was tested.")
    ] = None,
    branch: _Branch = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
    project_name: _Into = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Import JUnit XML of pytest, Surefire, Jest, Go and other runners; no run comes twice."""
    from flakefighters.importing.junit import junit_runs
    from flakefighters.importing.sources import sources

    place = find_place(Asked(profile, database_url, rootdir, project_name))
    made = _made(place, commit, branch, run_url, dry_run=dry_run)
    base = place.checkout.base
    bounds, done = Bounds(), _Done()
    found = junit_runs(
        sources(paths, bounds, done.refused),
        made.project.identity,
        bounds,
        done.refused,
        lambda name: (base / name).is_file(),
    )
    _import(place, made, found, done, dry_run=dry_run, as_json=as_json)


def peer(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its SQLite database.")],
    branch: _Branch = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
    project_name: _Into = None,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Import the database of the plugin pytest-flakefighters 0.7; no run comes twice."""
    from flakefighters.importing.peer import peer_runs

    place = find_place(Asked(profile, database_url, rootdir, project_name))
    made = _made(place, None, branch, None, dry_run=dry_run)
    done = _Done()
    found = peer_runs(file, made.project.identity, Bounds(), done.refused)
    _import(place, made, found, done, dry_run=dry_run, as_json=as_json)


@record
class _Done:
    """What became of what was found."""

    new: list[str] = field(default_factory=list)
    tests: int = 0
    known: int = 0
    #: Too old for the history, or purged from it.
    left_out: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def record(self, *, dry_run: bool) -> dict[str, Any]:
        return {
            "dry_run": dry_run,
            "runs": self.new,
            "tests": self.tests,
            "known": self.known,
            "left_out": self.left_out,
            "refused": self.refused,
        }

    def lines(self, where: str, *, dry_run: bool) -> Iterator[Line]:
        verb = "would import" if dry_run else "imported"
        what = f"{count(len(self.new), 'run')} with {count(self.tests, 'result')}"
        yield line(f"{verb} {what} into {where}" if self.new else f"nothing new for {where}")
        if self.known:
            yield line(f"{count(self.known, 'run')} known already")
        if self.left_out:
            yield line(f"{count(self.left_out, 'run')} older than the history keeps, or purged")
        if self.refused:
            yield line(f"{count(len(self.refused), 'report')} refused")


def _made(
    place: Place, commit: str | None, branch: str | None, url: str | None, *, dry_run: bool
) -> Made:
    place.need_writable()
    commit = None if commit is None else commit.strip().lower()
    if commit is not None and not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", commit):
        raise ConfigError(
            f"{commit!r} is no commit", origin="--commit", remedy="write all 40 digits"
        )
    redact = redactor_of(place.resolution)
    project = place.own
    if place.named is not None:
        project = Project(identity=place.named, label=place.named)
    elif not project.identity:
        identity = "local:new" if dry_run else local_identity(place.anchor.path)
        project = Project(identity=identity, label=project.label)
    return Made(
        project=project,
        redact=redact,
        base=str(place.checkout.base),
        commit=commit,
        branch=None if branch is None else redact(branch),
        context={} if url is None else {"url": redact(url)},
    )


def _import(
    place: Place,
    made: Made,
    found: Iterator[Found],
    done: _Done,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    target = place.resolution.target
    exists = target.path is None or target.path.exists()
    if dry_run and not exists:
        _take(None, made, found, done)
    else:
        with open_checked(target, place.checkout, create=not dry_run) as history:
            _take(history, made, found, done, save=not dry_run)
    for name, why in done.refused.items():
        say(f"refused {name}: {why}")
    if as_json:
        show_json(done.record(dry_run=dry_run))
    else:
        show(list(done.lines(target.display or "the history", dry_run=dry_run)))
    if done.refused:
        raise typer.Exit(1)


def _take(
    history: History | None,
    made: Made,
    found: Iterator[Found],
    done: _Done,
    *,
    save: bool = False,
) -> None:
    known = set() if history is None else set(map(content_tail, history.run_ids()))
    limits = Limits()
    for at, one in enumerate(found, 1):
        if at % 100 == 0:
            say(f"{at:,} runs read")
        if content_tail(one.id) in known:
            done.known += 1
            continue
        known.add(content_tail(one.id))
        try:
            run = make_run(one, made)
            check_run(run, limits)
            # Nobody vouches for it: it is evidence for nothing.
            how = (
                history.save(run, via="import", trust=Trust.UNTRUSTED)
                if history and save
                else Saved.NEW
            )
        except (ConflictError, ValueError) as error:
            done.refused[one.name] = str(error)
            continue
        if how is Saved.NEW:
            done.new.append(run.head.id)
            done.tests += len(run.suite)
        elif how is Saved.KNOWN:
            done.known += 1
        else:
            done.left_out += 1
