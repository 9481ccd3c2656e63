"""The command ``prune``: keep no more of a history than its profile says."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, ProjectName, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError
from flakefighters.history import History
from flakefighters.history.content import project_id
from flakefighters.history.prune import Plan, Policy, Pruned, plan, prune
from flakefighters.model import Target
from flakefighters.reports.retention import prune_page, prune_record
from flakefighters.words import count

__all__ = ["prune_history"]

_Number = int | None


def prune_history(
    keep_runs: Annotated[
        _Number,
        typer.Option("--keep-runs", metavar="N", min=1, help="Keep the newest N builds."),
    ] = None,
    keep_days: Annotated[
        _Number,
        typer.Option(
            "--keep-days", metavar="N", min=1, help="Keep the builds that began within N days."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be removed.")
    ] = False,
    all_projects: Annotated[
        bool, typer.Option("--all-projects", help="Prune every project in the history.")
    ] = False,
    project_name: ProjectName = None,
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Remove the runs that are older than the profile keeps, and all that only they used."""
    place = find_place(Asked(profile, database_url, rootdir, project_name))
    target, settings = place.resolution.target, place.resolution.settings
    place.need_writable("name a profile of the owner with --profile")
    policy = Policy(keep_runs=settings.keep_runs, keep_days=settings.keep_days)
    if keep_runs is not None or keep_days is not None:
        policy = Policy(keep_runs=keep_runs, keep_days=keep_days)
    with place.history() as history:
        if history is None:
            place.say_empty(None)
            plans: dict[str, Plan] = {}
            done = Pruned()
        else:
            history.database.need_owner("prune")
            plans = _plans(place, history, policy, every=all_projects)
            before = {project_id(name): one.before for name, one in plans.items() if one.before}
            if before and not (dry_run or yes):
                _confirm(plans, target)
            done = Pruned() if dry_run else prune(history.database, before)
    if as_json:
        show_json(prune_record(target.display, plans, done, dry_run=dry_run))
    else:
        show(prune_page(plans, done, dry_run=dry_run))
    if done.runs and done.freed is None:
        say("the server's autovacuum makes their space free for runs to come")


def _confirm(plans: Mapping[str, Plan], target: Target) -> None:
    """Ask at the terminal, if there is one; an end of the command for a no."""
    runs = sum(one.runs for one in plans.values())
    if not runs or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    question = f"Remove {count(runs, 'run')} from {target.display}? It cannot be undone."
    if not typer.confirm(question, default=False, err=True):
        raise typer.Exit(1)


def _plans(place: Place, history: History, policy: Policy, *, every: bool) -> dict[str, Plan]:
    """What is to be done to which project.  ConfigError if nothing says how much to keep."""
    names = [identity for identity, _ in history.projects()]
    if not every:
        project = place.project(history)
        if project is None:
            place.say_empty(history)
            return {}
        names = [project.identity]
    now = time.time_ns() // 1000
    plans = {name: plan(history.database, project_id(name), policy, now) for name in names}
    nothing = policy.keep_runs is None and policy.keep_days is None
    if nothing and all(one.before is None for one in plans.values()):
        raise ConfigError(
            "nothing says how much of the history to keep",
            remedy="set keep_runs or keep_days in the profile, or use --keep-runs or --keep-days",
        )
    return plans
