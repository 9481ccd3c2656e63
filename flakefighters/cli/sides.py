"""The two sides of a transfer: which history each name on the command line means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flakefighters.cli.output import say
from flakefighters.cli.place import Asked, Ground, find_ground
from flakefighters.errors import ConfigError
from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory
from flakefighters.model import Target
from flakefighters.profiles import detect
from flakefighters.profiles.selection import Selector
from flakefighters.profiles.targets import Chosen
from flakefighters.state.project import identify
from flakefighters.sync.push import LOCAL_PROJECT

__all__ = ["Sides", "find_sides"]


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the command stands."""

    ground: Ground

    def need_name(self) -> None:
        """ConfigError unless the project has a name that is the same on other machines."""
        ground = self.ground
        ci = detect(ground.inputs.environ)
        configured = Selector.read(ground.inputs, ci).merged.project
        repository = None if ci is None else ci.repository
        project = identify(
            ground.checkout, ground.anchor, configured, repository, lambda: LOCAL_PROJECT
        )
        if project.identity.startswith(LOCAL_PROJECT):
            raise ConfigError(
                "this project has no name that other machines know: it has no remote",
                remedy='set project = "host/owner/name" in profiles.toml; runs that are recorded '
                "from then on can be sent",
            )

    # -- names ---------------------------------------------------------------------------------

    def source(self, named: str | None, option: str = "--from") -> Target | Path:
        """What ``--from`` means: a history, by its name or its file, or a folder with journals."""
        if named is not None and "://" not in named and os.path.exists(named):  # noqa: PTH110
            if os.path.isdir(named):  # noqa: PTH112
                return Path(named)
            named = f"sqlite:///{os.path.abspath(named)}"  # noqa: PTH100
        elif named is not None and "://" not in named and Path(named).name != named:
            raise ConfigError(f"{named} is neither a profile nor a file", origin=option)
        return self.remote(named, option)

    def remote(self, named: str | None, option: str, *, writing: bool = False) -> Target:
        """The history of this profile or URL; None: the team's.

        ConfigError if it has no URL, or no such profile is there.
        """
        if named is not None:
            return self._named(named, option)
        # Passwords are asked for the one that is taken: that of the other is not needed.
        found = [self._chosen(name, option) for name in ("shared", "ci")]
        usable = [(chosen, selector) for chosen, selector in found if chosen is not None]
        if not usable:
            raise ConfigError(
                "neither profile shared nor ci has a URL",
                remedy=f"set one in profiles.toml, or name a history with {option}",
            )
        fit = (one for one in usable if not (writing and one[0].target.read_only))
        return _with_password(*next(fit, usable[0]))

    def local(self, named: str | None, option: str = "--into") -> Target:
        """The history of this profile or URL; None: profile local."""
        return self._named(named or "local", option)

    def _named(self, named: str, option: str) -> Target:
        chosen, selector = self._chosen(named, option)
        if chosen is None:
            raise ConfigError(
                f"profile {named} has no URL", origin=option, remedy="set it in profiles.toml"
            )
        return _with_password(chosen, selector)

    def _chosen(self, named: str, option: str) -> tuple[Chosen | None, Selector]:
        url = named if "://" in named else None
        inputs = replace(
            self.ground.inputs,
            option_profile=None if url else named,
            option_url=url,
            option_profile_name=option,
            option_url_name=option,
        )
        selector = Selector.read(inputs, detect(inputs.environ))
        name, _ = selector.active()
        return selector.build(name, selector.fields(name)), selector

    # -- opening -------------------------------------------------------------------------------

    @contextmanager
    def reading(self, source: Target | Path) -> Iterator[History | ForeignHistory]:
        """Open a source; a file or a folder of journals as one of unknown origin."""
        if isinstance(source, Path):
            from flakefighters.cli.journals import as_history

            with as_history(source) as found:
                yield found
        elif source.backend == "sqlite":
            assert source.path is not None
            with ForeignHistory(source.path, trust=source.trust) as foreign:
                yield foreign
        else:
            with open_history(source._replace(read_only=True), create=False) as history:
                yield history

    def open(self, target: Target) -> History:
        """Open a history to write to, made if it is not there."""
        return open_history(target, tracked=self.tracked(target))

    def tracked(self, target: Target) -> bool:
        """Whether git tracks the file."""
        path = target.path
        return path is not None and os.path.lexists(path) and self.ground.checkout.is_tracked(path)


def _with_password(chosen: Chosen, selector: Selector) -> Target:
    chosen = selector.with_keyring(chosen)
    for note in chosen.notes:
        say(note)
    return chosen.target


def find_sides(rootdir: str | None) -> Sides:
    """Find out where to look from.  ConfigError if there is no such folder."""
    return Sides(find_ground(Asked(rootdir=rootdir)))
