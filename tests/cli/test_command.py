"""The command as a program: version, help, pipes and terminals."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from flakefighters import __version__
from flakefighters.model import Execution, Outcome
from tests.cli.conftest import PAY, TAX, Command, Shop, make_run

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "flakefighters"]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_version(command: Command) -> None:
    said = command("--version")
    assert (said.code, said.out) == (0, f"flakefighters {__version__}\n")


def test_help_names_every_command(command: Command) -> None:
    said = command("--help")
    assert said.code == 0
    for name in ("runs", "show", "tests", "explain"):
        assert f"\n  {name} " in said.out
        assert command(name, "-h").code == 0


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"flakefighters {__version__}\n"


def test_reading_costs_no_heavy_imports(shop: Shop) -> None:
    script = (
        "import sys; from flakefighters.cli import main; main(['runs']);"
        "print(sorted({'sqlalchemy', 'psycopg2', 'keyring', 'coverage', 'pytest'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_reader_that_stops_early_hears_no_complaint(shop: Shop, wanted: int) -> None:
    # Enough text that the pipe is full long before its end.
    skipped = [f"tests/test_x.py::test_{number}" for number in range(3000)]
    run = make_run(
        "cafe",
        "s" * 3000,
        started=shop.now,
        suite=skipped,
        executions=[
            Execution(nodeid=name, attempt=1, outcome=Outcome.SKIPPED, reason="no reason " * 5)
            for name in skipped
        ],
    )
    shop.save((run, ()))
    with subprocess.Popen(
        [*PROGRAM, "show", "cafe", "--limit", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        for _ in range(wanted):
            assert child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0


def on_terminal(arguments: list[str], **environ: str) -> str:
    """What a program prints on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **environ}
    with subprocess.Popen(
        [*PROGRAM, *arguments], stdin=follower, stdout=follower, stderr=follower, env=env
    ) as child:
        os.close(follower)
        seen = b""
        while select.select([leader], [], [], 30)[0]:
            try:
                part = os.read(leader, 65536)
            except OSError:  # Linux's way to say that the other side has closed
                break
            if not part:
                break
            seen += part
        child.wait()
    os.close(leader)
    return seen.decode().replace("\r\n", "\n")


def test_colour_is_for_terminals(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in on_terminal(["show", "dddd"])
    assert "\x1b" not in on_terminal(["show", "dddd"], NO_COLOR="1")
    assert "\x1b" not in on_terminal(["show", "dddd"], TERM="dumb")
    piped = subprocess.run([*PROGRAM, "show", "dddd"], capture_output=True, text=True, check=True)
    assert "\x1b" not in piped.stdout


def test_a_narrow_terminal_loses_nothing(shop: Shop) -> None:
    seen = on_terminal(["tests"], COLUMNS="20")
    assert PAY in seen
    assert TAX in seen


def test_names_outside_the_terminals_encoding(shop: Shop) -> None:
    done = subprocess.run(
        [*PROGRAM, "tests"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"na\\xef" in done.stdout or b"n\\xe4\\xefve" in done.stdout
