"""All steps in their order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flakefighters.checks import network, packages, rights, settings, sqlite, tls
from flakefighters.checks.results import Budget, Check, failed, ok, skipped, skipped_all
from flakefighters.checks.server import ask
from flakefighters.errors import DatabaseError
from flakefighters.model import Target
from flakefighters.profiles import Inputs
from flakefighters.profiles.resolution import Source
from flakefighters.state.checkout import Checkout

if TYPE_CHECKING:
    from flakefighters.checks.line import ServerLine

__all__ = ["Checkup", "examine"]

#: How often it is asked whether another process of the server answers.
_ROUNDS: Final = 3
_SERVER: Final = ("network", "TLS", "login", "version", "rights", "pooler", "exposure")


@dataclass(frozen=True, slots=True)
class Checkup:
    """What is checked, and its findings as they come."""

    profile: str | None
    reason: str | None
    #: Never a password; None if the settings name nothing.
    display: str | None
    checks: Iterable[Check]


def examine(inputs: Inputs, checkout: Checkout, budget: Budget | None = None) -> Checkup:
    """Check the profile that ``inputs`` choose.  Nothing is raised for what is found."""
    subject = settings.look(inputs)
    target = None if subject.chosen is None else subject.chosen.target
    return Checkup(
        profile=subject.profile,
        reason=subject.reason,
        display=None if target is None else target.display,
        checks=_all(subject, target, checkout, budget or Budget()),
    )


def _all(
    subject: settings.Subject, target: Target | None, checkout: Checkout, budget: Budget
) -> Iterator[Check]:
    yield from subject.checks
    if target is None or subject.chosen is None:
        yield from skipped_all(_SERVER, "the settings name no history")
    elif target.backend == "sqlite":
        yield from sqlite.look(target, checkout, budget)
    else:
        yield from _postgres(target, subject, budget)
    yield from packages.clashes(packages.installed())


def _postgres(target: Target, subject: settings.Subject, budget: Budget) -> Iterator[Check]:
    assert subject.chosen is not None
    reached = network.reach(target, budget)
    yield reached.check
    if not reached.usable:
        yield from skipped_all(_SERVER[1:], "the server is not reached")
        return
    secure = tls.look(target, reached.address, budget)
    yield secure.check
    if not subject.chosen.credentials:
        yield from skipped_all(_SERVER[2:], "there is no password")
        return
    if not secure.usable:
        yield from skipped_all(_SERVER[2:], "no such connection is made")
        return
    start = time.monotonic()
    try:
        from flakefighters.checks.line import ServerLine

        line = ServerLine(target, budget)
    except DatabaseError as error:
        yield failed("login", error.message, _remedy(error, subject))
        yield from skipped_all(_SERVER[3:], "no login")
        return
    except ImportError as error:
        yield failed("login", f"the driver cannot be loaded ({error})", "reinstall psycopg2-binary")
        yield from skipped_all(_SERVER[3:], "no login")
        return
    try:
        took = round(1000 * (time.monotonic() - start))
        yield ok("login", f"as {target.user or 'libpq chose'}, in {took} ms")
        yield from _inside(line, target)
    finally:
        line.close()


def _remedy(error: DatabaseError, subject: settings.Subject) -> str | None:
    """What to do about a refused login: it is known where the password is from."""
    assert subject.chosen is not None
    origin = subject.chosen.password.origin
    if origin is None or "wrong password" not in error.message:
        return error.remedy
    if origin.source is Source.KEYRING:
        return f"run `flakefighters login {subject.profile}` again"
    return f"correct the password in {origin}"


def _inside(line: ServerLine, target: Target) -> Iterator[Check]:
    yield from rights.version(line.version, line.encoding)
    try:
        facts = ask(line, target.schema)
    except DatabaseError as error:
        yield failed("rights", error.message, error.remedy)
        yield skipped("pooler", "the server gives no answers")
        yield skipped("exposure", "the server gives no answers")
        return
    yield from rights.rights(facts, target)
    yield _pooler(line)
    yield from rights.exposure(facts, target)


def _pooler(line: ServerLine) -> Check:
    """Is a pooler in between, which tells a process id of its own at login, and does it serve us?

    One connection is all that is used: small pools have no second one to spare.  That leaves the
    mode open where no other client is connected, and both that allow transactions work.
    """
    try:
        told, now = line.process(transaction=False)
    except DatabaseError as error:
        return failed("pooler", error.message, error.remedy)
    if told == now:
        return ok("pooler", "none in between")
    try:
        met = {now, *(line.process()[1] for _ in range(_ROUNDS))}
    except DatabaseError:
        return failed(
            "pooler",
            "there is one, and it allows no transactions (statement mode)",
            "use its transaction or session mode, or the server's own address",
        )
    mode = ", in transaction mode" if len(met) > 1 else ""
    return ok("pooler", f"there is one{mode}, which works")
