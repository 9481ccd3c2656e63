"""A history of forty days, made up: tests that fail by chance, changes that break some, a bad day.

Everything in it follows from the number of days, so that pictures of it are the same each time.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from flakefighters.history import History, open_history
from flakefighters.history.events import add as add_events
from flakefighters.ids import h128
from flakefighters.model import (
    JOINT,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Project,
    Run,
    RunHead,
    State,
    Target,
    Verdict,
)
from flakefighters.model.decisions import QUARANTINE, Event

__all__ = ["IDENTITY", "NOW", "checkout", "fill", "hostile"]

IDENTITY = "github.com/acme/shop"
#: 27 November 2026, 09:00 UTC, in µs.
NOW = 1_795_770_000_000_000
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR

_AREAS = ("cart", "checkout", "pay", "search", "stock", "tax", "users")
_DEEDS = (
    *("adds_an_item", "removes_an_item", "keeps_the_order", "rounds_to_cents", "is_idempotent"),
    *("refuses_negative_amounts", "survives_a_restart", "reports_progress", "sends_one_mail"),
)
#: How likely these tests fail by chance, and how that looks.
_CHANCE = {
    "tests/test_pay.py::test_survives_a_restart": (0.09, "TimeoutError: the bank does not answer"),
    "tests/test_stock.py::test_reports_progress": (0.05, "AssertionError: assert 3 == 4"),
    "tests/test_search.py::test_keeps_the_order": (
        0.03,
        "AssertionError: assert ['b', 'a'] == ['a', 'b']",
    ),
    "tests/test_users.py::test_sends_one_mail": (
        0.015,
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ),
    "tests/test_cart.py::test_adds_an_item[guest-eur]": (0.01, "KeyError: 'session'"),
}
#: Tests that a change broke, from one run to another.
_BROKEN = {
    "tests/test_tax.py::test_rounds_to_cents": [(21, 24), (117, 120)],
    "tests/test_tax.py::test_is_idempotent": [(117, 120)],
    "tests/test_checkout.py::test_keeps_the_order": [(64, 69)],
}
_TAX_TRACE = """\
    def test_rounds_to_cents():
>       assert tax(Decimal("19.99")) == Decimal("4.00")
E       AssertionError: assert Decimal('3.99') == Decimal('4.00')
E        +  where Decimal('3.99') = tax(Decimal('19.99'))

tests/test_tax.py:14: AssertionError"""
RUNS = 120
_WHO = ("AUTHOR", "COMMITTER")
_TAX = """\
from decimal import ROUNDING, Decimal

CENT = Decimal("0.01")


def tax(price: Decimal) -> Decimal:
    \"\"\"The tax in a price.\"\"\"
    return (price * 20 / 100).quantize(CENT, ROUNDING)
"""


def suite() -> list[str]:
    """The shop's tests."""
    plain = [f"tests/test_{area}.py::test_{deed}" for area in _AREAS for deed in _DEEDS]
    return [
        *plain,
        *(f"tests/test_cart.py::test_adds_an_item[{one}]" for one in ("guest-eur", "guest-usd")),
    ]


def checkout(folder: Path) -> list[str]:
    """Make it a checkout of the shop, and commit the change that its tax has not survived."""
    environ = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "ada@example.org" for who in _WHO for what in ("NAME", "EMAIL")},
        **{f"GIT_{who}_DATE": "2026-11-26T09:00:00Z" for who in _WHO},
    }

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        done = subprocess.run(command, check=True, env=environ, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    git("remote", "add", "origin", f"https://{IDENTITY}.git")
    (folder / "shop").mkdir()
    commits = []
    for rounding in ("ROUND_HALF_UP", "ROUND_DOWN"):
        (folder / "shop" / "tax.py").write_text(_TAX.replace("ROUNDING", rounding))
        git("add", "shop")
        git("commit", "-q", "-m", f"Use {rounding}")
        commits.append(git("rev-parse", "HEAD"))
    return commits


def fill(path: Path, commits: Sequence[str] = ()) -> None:
    """Write the history; ``commits`` are the last one that was good, and the newest."""
    tests = suite()
    chance = random.Random(7)
    with open_history(Target(backend="sqlite", path=path, display="flakefighters.db")) as history:
        for number in range(RUNS):
            run, verdicts = _run(number, tests, chance, commits)
            assert history.save(run, verdicts)
        _decide(history)


def _run(
    number: int, tests: Sequence[str], chance: random.Random, commits: Sequence[str]
) -> tuple[Run, list[Verdict]]:
    name = f"0199{number:08x}70008000" + h128("run", str(number))[:12]
    started = NOW - (RUNS - number) * 8 * _HOUR + chance.randrange(_HOUR)
    commit = h128("commit", str(number // 2)) + "0" * 8
    if commits and number in (RUNS - 4, RUNS - 1):
        commit = commits[number == RUNS - 1]
    letters, executions, verdicts = [], [], []
    down = number in (83, 84)  # a bad day of the database
    for nodeid in tests:
        letter, execution, verdict = _result(number, nodeid, chance, name, down=down)
        letters.append(letter)
        if execution is not None:
            executions.append(execution)
        if verdict is not None:
            verdicts.append(verdict)
    state = State(id=h128("state", commit), tree=h128("tree", commit) + "0" * 8)
    environment = Environment(
        id=h128("environment"),
        key=h128("key"),
        settings={"implementation": "CPython", "python": "3.13", "os": "Linux"},
        distributions={"pytest": "9.2.0"},
    )
    durations = [chance.randrange(20, 90 + 11 * at) for at in range(len(tests)) for _ in range(3)]
    length = sum(durations) * 100 + (40_000_000 if down else 0)
    head = RunHead(
        id=name,
        project=IDENTITY,
        started=started,
        ended=started + length + 2_000_000,
        build=f"{4100 + number}",
        job="tests (3.13)",
        commit=commit,
        tree=state.tree,
        branch="main" if number % 3 else "feature/receipts",
        dirty=False,
        state=state.id,
        environment=environment.id,
        environment_key=environment.key,
        origin={"program": "flakefighters"},
    )
    run = Run(
        head=head,
        project=Project(identity=IDENTITY, label="shop"),
        state=state,
        environment=environment,
        suite=tests,
        outcomes="".join(letters),
        durations=durations,
        executions=executions,
    )
    return run, verdicts


def _result(
    number: int, nodeid: str, chance: random.Random, run: str, *, down: bool
) -> tuple[str, Execution | None, Verdict | None]:
    by_chance, said = _CHANCE.get(nodeid, (0.0, ""))
    draw = chance.random()
    spans = _BROKEN.get(nodeid, [])
    if any(start <= number < end for start, end in spans):
        start = next(start for start, end in spans if start <= number < end)
        return "F", *_broken(nodeid, run, start)
    if down and ("pay" in nodeid or "users" in nodeid):
        trace = "E   psycopg2.OperationalError: server closed the connection unexpectedly"
        what = ("psycopg2.OperationalError", trace)
        reason = "14 tests failed at once, most of them alike: something is wrong with the world"
        return "F", *_failed(nodeid, run, what, (Label.UNDECIDED, "systemic", reason))
    if nodeid.endswith("test_reports_progress") and "stock" in nodeid and number in (118, 119):
        what = (
            "AssertionError",
            "E   AssertionError: assert 3 == 4\n\ntests/test_stock.py:31: AssertionError",
        )
        reason = "started a child process: what it ran is not known"
        return "F", *_failed(nodeid, run, what, (Label.UNDECIDED, "touched_change", reason))
    if draw < by_chance or (number == RUNS - 1 and by_chance > 0.06):
        what = (
            said.partition(":")[0],
            f"    def test():\n>       run()\nE   {said}\n\n{nodeid.partition('::')[0]}:41: Error",
        )
        reason = (
            f"passed on the same state in run {h128('run', str(number - 1))[8:12]}, 7 hours ago"
        )
        return "F", *_failed(nodeid, run, what, (Label.FLAKY, "same_state", reason))
    if nodeid.endswith("[guest-usd]"):
        skipped = Execution(
            nodeid=nodeid, attempt=1, outcome=Outcome.SKIPPED, reason="no rates today"
        )
        return "s", skipped, None
    return ".", None, None


def _broken(nodeid: str, run: str, start: int) -> tuple[Execution, Verdict]:
    baseline = f"0199{start - 1:08x}70008000" + h128("run", str(start - 1))[:12]
    reason = "ran tax() in shop/tax.py, changed in 9826683 'Round down'"
    execution, verdict = _failed(
        nodeid, run, ("AssertionError", _TAX_TRACE), (Label.GENUINE, "touched_change", reason)
    )
    more = {
        "baseline": baseline,
        "touched": [["ran", "function", "shop/tax.py", "tax()", 7, "changed"]],
        "considered": 3,
    }
    return execution, verdict._replace(
        evidence={**verdict.evidence, **more}, confidence=Confidence.STRONG
    )


def _failed(
    nodeid: str, run: str, what: tuple[str, str], said: tuple[Label, str, str]
) -> tuple[Execution, Verdict]:
    exception, text = what
    label, by, reason = said
    failure = Failure(
        phase=Phase.CALL,
        exception=exception,
        text=text,
        signature=f"{exception} {text.splitlines()[-1]}",
    )
    execution = Execution(
        nodeid=nodeid,
        attempt=1,
        outcome=Outcome.FAILED,
        durations=(1000, 52_000, 300),
        failures=(failure,),
    )
    verdict = Verdict(
        label=label,
        fighter=JOINT,
        version=2,
        confidence=Confidence.PROVED if label is Label.FLAKY else Confidence.FAIR,
        reason=reason,
        evidence={"by": by},
        run=run,
        nodeid=nodeid,
        at=NOW,
    )
    return execution, verdict


def _decide(history: History) -> None:
    pay, stock = list(_CHANCE)[:2]
    for number, (target, until) in enumerate([(pay, "2026-12-18"), (stock, "2026-11-20")]):
        value = {
            "state": "on",
            "until": until,
            "reason": "the sandbox of the bank is slow",
            "issue": "https://github.com/acme/shop/issues/412",
            "owner": "@acme/payments",
        }
        event = Event(
            id=f"0199{number:08x}7000800000000000beef",
            project=IDENTITY,
            kind=QUARANTINE,
            target=target,
            value=value,
            by="ada",
            at=NOW - 9 * _DAY,
        )
        add_events(history.database, Project(identity=IDENTITY, label="shop"), [event])


def hostile(path: Path) -> list[str]:
    """A history with names that want to be more than names; returns them."""
    names = [
        "tests/test_a.py::test_x[<script>alert(1)</script>]",
        "tests/test_a.py::test_y[</script><img src=x onerror=alert(1)>]",
        'tests/test_a.py::test_z["onmouseover=alert(1) x="]',
        "tests/test_a.py::test_bidi[\u202egnp.exe\u2066]",
        "tests/test_a.py::test_markup[`a` | **b** @torvalds #1 [x](javascript:alert)]",
        "tests/test_a.py::test_template[{{data}} ${1+1} <!-- ]",
        f"tests/test_a.py::test_long[{'x' * 10_000}]",
        "tests/test_a.py::test_lone[\ud800\x1b[31m\x00]",
        "=cmd|' /C calc'!A0",
    ]
    started = NOW - _HOUR
    run = f"0199{1:08x}7000800000000000cafe"
    results = [
        _failed(
            name,
            run,
            (f"Error<b>{name[:40]}", f"E   {name}\n```\n</details>{name}"),
            (list(Label)[at % 3], "same_state", f"because of {name}"),
        )
        for at, name in enumerate(names)
    ]
    head = RunHead(
        id=run,
        project=IDENTITY,
        started=started,
        ended=started + 5_000_000,
        commit="c" * 40,
        branch="<b>\u202e`x`|@me",
        pr="7",
    )
    made = Run(
        head=head,
        project=Project(identity=IDENTITY, label="shop</title><script>alert(2)</script>"),
        state=None,
        environment=None,
        suite=names,
        outcomes="F" * len(names),
        durations=[10] * 3 * len(names),
        executions=[execution for execution, _ in results],
    )
    with open_history(Target(backend="sqlite", path=path, display="flakefighters.db")) as history:
        assert history.save(made, [verdict for _, verdict in results])
    return names
