"""What the commands on decisions share: the history, the test that is meant, and who decides."""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flakefighters.capture.redact_patterns import redact_patterns
from flakefighters.cli.matching import matching, no_test, spellings
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.history import History
from flakefighters.history.events import add as add_events
from flakefighters.history.events import need_curator
from flakefighters.ids import uuid7
from flakefighters.model import Project
from flakefighters.model.decisions import Event, function_of, heads, signature_target
from flakefighters.session.open_history import open_checked
from flakefighters.state.git import Git

__all__ = ["Desk", "author", "last_day", "login_name", "sit_down"]

#: Who started a job, by CI service.
_ACTORS: Final = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_REQUESTEDFOR",
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "DRONE_BUILD_TRIGGER",
)
_DAYS: Final = re.compile(r"(\d{1,4}) ?(d|w)")
_SIGNATURE: Final = re.compile("[0-9a-f]{6,32}")
#: Characters of a reason, an issue or an owner.
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody decides."""

    place: Place
    history: History
    project: Project
    #: All that was decided in the project, oldest first.
    events: list[Event]
    #: µs UTC.
    now: int

    def decide(self, kind: str, target: str, state: str, **more: str | None) -> Event:
        """Add a decision.  It takes the place of those that stand, and is later than they are."""
        known = heads(one for one in self.events if (one.kind, one.target) == (kind, target))
        after = max((int(one.id[:12], 16) for one in known), default=-1)
        at = max(self.now, (after + 1) * 1000)
        given = {name: _clean(name, text) for name, text in more.items() if text}
        event = Event(
            uuid7(at),
            self.project.identity,
            kind,
            target,
            {"state": state, **given},
            author(self.place),
            at,
            tuple(sorted(one.id for one in known)),
        )
        add_events(self.history.database, self.project, [event])
        return event

    def test(self, asked: str) -> str:
        """The test that is meant, or the function whose parameters are left open.

        NotFoundError if there is none, or several.
        """
        rows = self.history.test_rows(self.project.identity)
        names = dict.fromkeys([*(row.nodeid for row in rows), *(one.target for one in self.events)])
        for spelling in spellings(self.place, asked):
            if spelling in names:
                return spelling
        found = matching(self.place, asked, list(names))
        functions = {function_of(name) for name in found}
        if len(functions) == 1:
            function = functions.pop()
            return found[0] if len(found) == 1 and function_of(asked) != asked else function
        if found:
            some = ", ".join(sorted(functions)[:5])
            raise NotFoundError(f"{asked!r} may be {some}", remedy="name one test or function")
        raise no_test(asked, list(names))

    def test_or_signature(self, asked: str) -> str:
        """What a mark is about: a test, or failures with a signature."""
        from flakefighters.history.purge import find_signatures

        if not _SIGNATURE.fullmatch(asked.lower()):
            return self.test(asked)
        found = find_signatures(self.history.database, asked.lower())
        if len(found) == 1:
            return signature_target(next(iter(found.values())))
        what = "several signatures begin" if found else "no signature in this history begins"
        raise NotFoundError(
            f"{what} with {asked}", remedy="see `flakefighters show RUN --tracebacks`"
        )


@contextmanager
def sit_down(asked: Asked, what: str, *, create: bool = False) -> Iterator[Desk]:
    """Open the history to decide in it (``what``: "quarantine"), or to read (an empty text).

    ``create``: make it if it is not there.

    Raises:
        NotFoundError: without a history, or if it knows nothing of the project.
        DatabaseError: if we may not decide in it.
    """
    place = find_place(asked)
    target = place.resolution.target
    if what:
        place.need_writable("name a profile of the curator with --profile")
    if create and target.path is not None and not os.path.lexists(target.path):
        open_checked(target, place.checkout, create=True).close()
    with place.history() as history:
        project = place.project(history)
        if project is None and create and place.own.identity:
            project = place.own
        if history is None or project is None:
            place.say_empty(history)
            raise NotFoundError("nothing is known of this project", remedy="run pytest first")
        if what:
            need_curator(history.database, what)
        now = time.time_ns() // 1000
        yield Desk(place, history, project, history.events(project.identity), now)


def author(place: Place, environ: Mapping[str, str] | None = None) -> str:
    """Who decides: the name that git has, else who started the CI job, else the login name.

    An email address only if there is nothing else.
    """
    variables = os.environ if environ is None else environ
    git = Git(place.checkout.base)

    def configured(name: str) -> str:
        return git.ask("config", name).output.decode("utf-8", "replace").strip()

    actor = next((variables[name] for name in _ACTORS if variables.get(name)), "")
    found = configured("user.name") or actor or login_name() or configured("user.email")
    return found[:_LONGEST] or "unknown"


def login_name() -> str:
    """The name that the user has on this machine, empty if there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return ""


def last_day(text: str, now: int) -> str:
    """The date that ``--until`` names: 2026-12-31, or 30d or 2w from now.

    ConfigError for anything else, and for a day that is over.
    """
    today = datetime.fromtimestamp(now // 1_000_000, UTC).date()
    match = _DAYS.fullmatch(text.strip())
    try:
        if match is not None:
            found = today + timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))
        else:
            found = date.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{text!r} is no day", origin="--until", remedy="write 2026-12-31, 30d or 2w"
        ) from None
    if found < today:
        raise ConfigError(f"{found} is over", origin="--until", remedy="name a later day")
    return found.isoformat()


def _clean(name: str, text: Any) -> str:
    """A text without secrets; ConfigError for a very long one."""
    if len(text) > _LONGEST:
        raise ConfigError(f"more than {_LONGEST} characters", origin=f"--{name}")
    return redact_patterns(str(text).strip())
