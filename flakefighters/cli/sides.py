"""The two sides of a transfer: which history each name on the command line means."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from flakefighters.capture.journal import JournalError, leftovers, recover
from flakefighters.changes.anchor import Anchor, locate
from flakefighters.changes.checkout import Checkout
from flakefighters.changes.project import identify
from flakefighters.cli.output import say
from flakefighters.errors import ConfigError, ConflictError, FlakefightersError
from flakefighters.flow.finish import open_checked
from flakefighters.flow.places import spool_folder
from flakefighters.flow.spool import address, deliver
from flakefighters.history import History, open_history
from flakefighters.history.foreign import ForeignHistory, open_foreign
from flakefighters.model import Target
from flakefighters.profiles import Inputs, detect
from flakefighters.profiles.selection import Selector
from flakefighters.sync.push import LOCAL_PROJECT

__all__ = ["Sent", "Sides", "find_sides", "send_journals"]


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the command stands."""

    anchor: Anchor
    checkout: Checkout

    @property
    def spool(self) -> Path:
        """Where journals of this project wait."""
        return spool_folder(self.anchor.path)

    def need_name(self) -> None:
        """ConfigError unless the project has a name that is the same on other machines."""
        inputs = Inputs(anchor=self.anchor.path, project_root=self.checkout.base)
        ci = detect(inputs.environ)
        configured = Selector.read(inputs, ci).merged.project
        repository = None if ci is None else ci.repository
        project = identify(
            self.checkout, self.anchor, configured, repository, lambda: LOCAL_PROJECT
        )
        if project.identity.startswith(LOCAL_PROJECT):
            raise ConfigError(
                "this project has no name that other machines know: it has no remote",
                remedy='set project = "host/owner/name" in profiles.toml; runs that are recorded '
                "from then on can be sent",
            )

    # -- names ---------------------------------------------------------------------------------

    def source(self, named: str | None, option: str = "--from") -> Target | Path:
        """What ``--from`` means: a history, or a folder with journals."""
        if named is not None and "://" not in named and os.path.isdir(named):  # noqa: PTH112
            return Path(named)
        return self.remote(named, option)

    def remote(self, named: str | None, option: str, *, writing: bool = False) -> Target:
        """The history of this name or URL; None: the team's.

        ConfigError if it has no URL, or no such profile is there.
        """
        if named is not None:
            return self._named(named, option)
        found = [self._target(name, option) for name in ("shared", "ci")]
        usable = [target for target in found if target is not None]
        for target in usable:
            if not (writing and target.read_only):
                return target
        if usable:
            return usable[0]
        raise ConfigError(
            "neither profile shared nor ci has a URL",
            remedy=f"set one in profiles.toml, or name a history with {option}",
        )

    def local(self, named: str | None, option: str = "--into") -> Target:
        """The history of this name or URL; None: profile local."""
        return self._named(named or "local", option)

    def _named(self, named: str, option: str) -> Target:
        target = self._target(named, option)
        if target is None:
            raise ConfigError(
                f"profile {named} has no URL", origin=option, remedy="set it in profiles.toml"
            )
        return target

    def _target(self, named: str, option: str) -> Target | None:
        url = named if "://" in named else None
        inputs = Inputs(
            anchor=self.anchor.path,
            option_profile=None if url else named,
            option_url=url,
            option_profile_name=option,
            option_url_name=option,
            project_root=self.checkout.base,
        )
        selector = Selector.read(inputs, detect(inputs.environ))
        name, _ = selector.active()
        chosen = selector.build(name, selector.fields(name))
        if chosen is None:
            return None
        chosen = selector.with_keyring(chosen)
        for note in chosen.notes:
            say(note)
        return chosen.target

    # -- opening -------------------------------------------------------------------------------

    @contextmanager
    def reading(self, source: Target | Path) -> Iterator[History | ForeignHistory]:
        """Open a source; what comes from a file or a folder is believed no more than it proves."""
        if isinstance(source, Path):
            with _journals(source) as found:
                yield found
        elif source.backend == "sqlite":
            assert source.path is not None
            with open_foreign(source.path) as foreign:
                yield foreign
        else:
            with open_history(replace(source, read_only=True), create=False) as history:
                yield history

    def open(self, target: Target) -> History:
        """Open a history to write to, made if it is not there."""
        return open_checked(target, self.checkout, create=True)

    def tracked(self, target: Target) -> bool:
        """Whether git tracks the file."""
        path = target.path
        return path is not None and path.exists() and self.checkout.is_tracked(path)


def find_sides(rootdir: str | None) -> Sides:
    """Find out where to look from.  ConfigError if there is no such folder."""
    folder = Path.cwd() if rootdir is None else Path(rootdir).expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(f"no such folder: {folder}", origin="--rootdir")
    anchor = locate(folder)
    return Sides(anchor, Checkout.read(anchor))


@contextmanager
def _journals(folder: Path) -> Iterator[ForeignHistory]:
    """The runs of a folder of journals, as a history that was made by somebody else."""
    over = set(leftovers(folder, time.time()))
    with tempfile.TemporaryDirectory(prefix="flakefighters-") as private:
        path = Path(private) / folder.name
        target = Target(backend="sqlite", path=path, display=folder.name)
        with open_history(target) as history:
            for journal in sorted(folder.glob("*.jsonl")):
                try:
                    found = recover(journal)
                    # Where it was copied to, nobody writes to it any more.
                    if journal in over or found.ended or not _ours(journal):
                        deliver(history, found)
                except (JournalError, FlakefightersError) as error:
                    say(str(error))
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    say(f"the journal {journal.name} is malformed ({type(error).__name__})")
        with open_foreign(path) as foreign:
            yield foreign


def _ours(journal: Path) -> bool:
    """Whether a process of this machine wrote a journal."""
    with journal.open("rb") as file:
        return f'"host":"{socket.gethostname()}"'.encode() in file.readline(1_000_000)


@dataclass(slots=True)
class Sent:
    """What became of the journals in a folder."""

    runs: int = 0
    #: Journals that are meant for other histories, by address.
    waiting: dict[str, int] = field(default_factory=dict)
    #: Journals that can never be sent, and why; they were renamed.
    damaged: dict[str, str] = field(default_factory=dict)


def send_journals(folder: Path, target: Target, open_target: Callable[[], History]) -> Sent:
    """Send the journals that are meant for ``target``; it is opened if there are any.

    Raises:
        DatabaseError: if it cannot be used; the journals that were not sent stay.
    """
    sent, to = Sent(), address(target)
    with ExitStack() as stack:
        history: History | None = None
        for journal in leftovers(folder, time.time()):
            try:
                found = recover(journal)
                if found.address != to:
                    sent.waiting[found.address] = sent.waiting.get(found.address, 0) + 1
                    continue
                if history is None:
                    history = stack.enter_context(open_target())
                # Killed between saving and removing: what was saved is the better copy.
                if not history.content_hashes([found.run.head.id]):
                    deliver(history, found)
            except (JournalError, ConflictError) as error:
                sent.damaged[journal.name] = str(error)
                with suppress(OSError):
                    journal.rename(journal.with_suffix(".damaged"))
                continue
            journal.unlink(missing_ok=True)
            sent.runs += 1
    return sent
