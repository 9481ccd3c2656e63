"""The command ``fighters``."""

from __future__ import annotations

from flakefighters.history import open_history
from flakefighters.model import Confidence, Label, Target
from tests.cli.conftest import MINUTE, OLD, PAY, TAX, Command, Shop, failed, make_run, verdict


def prove(shop: Shop) -> None:
    """The failure of TAX was flaky after all, and that of PAY genuine."""
    target = Target(backend="sqlite", path=shop.database, display="flakefighters.db")
    proved = [
        verdict(tail, nodeid, label, "proved")._replace(
            confidence=Confidence.PROVED, evidence={"by": "trial", "trials": []}, at=2
        )
        for tail, nodeid, label in (("dddd", TAX, Label.FLAKY), ("bbbb", PAY, Label.GENUINE))
    ]
    with open_history(target) as history:
        assert history.add_verdicts(proved) == 2


def test_later_proof_is_counted(shop: Shop, command: Command) -> None:
    prove(shop)
    said = command("fighters", "--json").json
    assert (said["runs"], said["failures"], said["proved"]) == (3, 2, 2)
    rows = {row["fighter"]: row for row in said["fighters"]}
    assert list(rows) == ["same_state", "joint"]
    assert rows["same_state"] == {
        "fighter": "same_state",
        "said": 1,
        "proved": 1,
        "agreed": 0,
        "flaky_is_genuine": 1,
        "genuine_is_flaky": 0,
        "undecided": 0,
        "precision": {"flaky": 0.0, "genuine": None},
        "recall": {"flaky": 0.0, "genuine": 0.0},
        "known": {"flaky": 1, "genuine": 1},
        "pairs": {
            "flaky": {"flaky": 0, "genuine": 1},
            "genuine": {"flaky": 0, "genuine": 0},
            "undecided": {"flaky": 0, "genuine": 0},
        },
    }
    assert (rows["joint"]["genuine_is_flaky"], rows["joint"]["flaky_is_genuine"]) == (1, 1)
    text = command("fighters")
    assert [line.split()[0] for line in text.out.splitlines()[1:]] == ["same_state", "(all"]
    assert "2 of 2 failures with a verdict proved, in 3 runs" in text.err


def test_a_change_that_ends_a_failure_is_proof(shop: Shop, command: Command) -> None:
    broken = [failed(OLD, "KeyError")]
    at = shop.now - MINUTE
    shop.save(
        (
            make_run("eeee", "..F", started=at, commit="e" * 40, executions=broken),
            [verdict("eeee", OLD, Label.GENUINE, "it ran what changed")],
        ),
        (make_run("ffff", "...", started=shop.now, commit="f" * 40), ()),
    )
    said = command("fighters", "--json").json
    assert (said["runs"], said["proved"], said["fixed"]) == (5, 1, 1)
    (joint,) = [row for row in said["fighters"] if row["fighter"] == "joint"]
    assert (joint["precision"]["genuine"], joint["recall"]["genuine"]) == (1.0, 1.0)
    text = command("fighters")
    assert text.out.splitlines()[-1].split()[:2] == ["(all", "together)"]
    assert "100%" in text.out
    assert "1 of 3 failures with a verdict proved, 1 by the change that ended it" in text.err


def test_the_newest_runs_are_looked_at(shop: Shop, command: Command) -> None:
    prove(shop)
    said = command("fighters", "--json", "--runs", "1").json
    assert (said["runs"], said["failures"]) == (1, 1)
    assert [row["fighter"] for row in said["fighters"]] == ["joint"]


def test_no_history_is_no_error(empty_shop: Shop, command: Command) -> None:
    said = command("fighters")
    assert (said.code, said.out) == (0, "")
    assert "no history yet" in said.err
    assert command("fighters", "--json").json == {
        "runs": 0,
        "failures": 0,
        "proved": 0,
        "fixed": 0,
        "fighters": [],
    }
