"""Where a command looks: the anchor, the history that belongs to it, and the project in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flakefighters.cli.output import say
from flakefighters.cli.waiting import what_to_do
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.history import History
from flakefighters.history.unreadable import unreadable_note
from flakefighters.model import Project, Target
from flakefighters.profiles import Inputs, Resolution, resolve
from flakefighters.session.identities import recorded
from flakefighters.session.open_history import open_checked
from flakefighters.session.places import Spool, address, spools
from flakefighters.session.spool import deliver_leftovers, waiting
from flakefighters.state.anchor import Anchor, locate
from flakefighters.state.checkout import Checkout
from flakefighters.state.project import identify
from flakefighters.words import count

__all__ = ["Asked", "Ground", "Place", "find_ground", "find_place", "need_writable"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say where to look."""

    profile: str | None = None
    database_url: str | None = None
    rootdir: str | None = None
    #: Identity or label.
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a command stands, before any history is chosen."""

    #: The folder that the user stands in or named.
    folder: Path
    anchor: Anchor
    checkout: Checkout
    #: All that the choice of a history depends on.
    inputs: Inputs

    @property
    def spools(self) -> tuple[Spool, ...]:
        """Where journals of this project may wait."""
        return spools(self.anchor.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Ground):
    """Where a command looks."""

    resolution: Resolution
    #: What the folder belongs to; its identity is empty if nothing was recorded from here.
    own: Project
    #: What the user named instead.
    named: str | None
    #: Is the history the one that pytest would record into here, without options?
    usual: bool = False

    def __str__(self) -> str:
        """For people: the anchor and the database."""
        return f"{self.anchor.path} ({self.resolution.header()})"

    @contextmanager
    def history(self) -> Iterator[History | None]:
        """The open history; None if there is none yet.  DatabaseError if it cannot be used."""
        target = self.resolution.target
        here = waiting(self.spools).get(address(target), 0)
        # Runs that were killed come first, so that what is shown is all that is known.
        import_them = here and self.usual and target.path is not None and not target.read_only
        if target.path is not None and not os.path.lexists(target.path) and not import_them:
            yield None
            return
        with open_checked(target, self.checkout, create=bool(import_them)) as history:
            if import_them and not history.database.read_only:
                for note in deliver_leftovers(history, self.spools, to=address(target))[1]:
                    say(note)
            yield history
            left_out = unreadable_note(history.unreadable.runs)
            if left_out is not None:
                say(left_out)

    def say_waiting(self) -> None:
        """Tell on stderr of runs that wait for another history than the one shown."""
        shown = address(self.resolution.target)
        for where, number in sorted(waiting(self.spools).items()):
            if where != shown:
                verb = "waits" if number == 1 else "wait"
                advice = what_to_do(self.inputs, where, self.spools)
                say(f"{count(number, 'run')} {verb} for {where}: {advice}")

    @contextmanager
    def known(self, otherwise: str) -> Iterator[tuple[History, Project]]:
        """The open history and the project to show; NotFoundError if there is none of either."""
        with self.history() as history:
            project = self.project(history)
            if history is None or project is None:
                self.say_empty(history)
                raise NotFoundError(otherwise)
            yield history, project

    def need_writable(self, remedy: str | None = None) -> None:
        """ConfigError if the profile only reads its history."""
        need_writable(self.resolution.target, remedy)

    def project(self, history: History | None) -> Project | None:
        """The project to show.

        The one that the user named, NotFoundError if it is not there; else the folder's own; None
        without a history, or if no run of that is in it.
        """
        if history is None:
            return None
        known = [Project(identity=name, label=label) for name, label in history.projects()]
        wanted = self.named or self.own.identity
        for project in known:
            if project.identity == wanted:
                return project
        if self.named is None:
            return None
        labelled = [project for project in known if project.label == self.named]
        if len(labelled) == 1:
            return labelled[0]
        what = "several projects are" if labelled else "no project is"
        among = labelled or known
        raise NotFoundError(
            f"{what} called {self.named} here",
            remedy=f"choose one of {', '.join(project.identity for project in among) or 'none'}",
        )

    def say_empty(self, history: History | None) -> None:
        """Tell on stderr where a command looked and found nothing."""
        if history is None:
            say(f"no history yet: looked from {self}")
            say("run pytest there, and every run is remembered")
            return
        others = [name for name, _ in history.projects() if name != self.own.identity]
        project = self.named or self.own.identity or self.own.label
        say(f"no runs of project {project} yet: looked from {self}")
        if others:
            say(f"the history has other projects (--project NAME): {', '.join(others)}")


def need_writable(target: Target, remedy: str | None) -> None:
    """ConfigError if the history is only read."""
    if target.read_only:
        raise ConfigError(
            f"{target.display} is read-only for profile {target.profile}",
            origin="read_only",
            remedy=remedy,
        )


def find_ground(asked: Asked) -> Ground:
    """Find out where we are.  ConfigError if the folder is none."""
    folder = Path.cwd() if asked.rootdir is None else Path(asked.rootdir).expanduser().absolute()
    if not os.path.isdir(folder):  # noqa: PTH112 - Path raises where it may not look
        raise ConfigError(f"no such folder: {folder}", origin="--rootdir")
    anchor = locate(folder)
    checkout = Checkout.read(anchor)
    inputs = Inputs(
        anchor=anchor.path,
        option_profile=asked.profile,
        option_url=asked.database_url,
        option_profile_name="--profile",
        option_url_name="--database-url",
        project_root=checkout.base,
    )
    return Ground(folder=folder, anchor=anchor, checkout=checkout, inputs=inputs)


def find_place(asked: Asked) -> Place:
    """Find out where to look.  ConfigError for what was asked for and cannot be had."""
    ground = find_ground(asked)
    anchor, checkout = ground.anchor, ground.checkout
    resolution = resolve(ground.inputs)
    for note in resolution.notes:
        say(note)
    repository = None if resolution.ci is None else resolution.ci.repository
    own = identify(
        checkout,
        anchor,
        resolution.settings.project,
        repository,
        # Unlike a test run, a command that only reads leaves no file behind.
        lambda: recorded(anchor.path) or "",
    )
    return Place(
        folder=ground.folder,
        anchor=anchor,
        checkout=checkout,
        inputs=ground.inputs,
        resolution=resolution,
        own=own,
        named=asked.project,
        usual=asked.profile is None and asked.database_url is None,
    )
