"""The command as a program: version, help, pipes and terminals."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from flakefighters import __version__
from flakefighters.cli.app import application
from flakefighters.cli.help import EXAMPLES, GROUPS
from flakefighters.cli.output import in_colour
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


def test_every_command_has_its_group_its_line_and_an_example(command: Command) -> None:
    app = application()
    names = {str(one.name) for one in app.registered_commands}
    names |= {str(one.name) for one in app.registered_groups}
    assert {name for rows in GROUPS.values() for name in rows} == names
    assert set(EXAMPLES) == {"", *names}
    text, widest = command("--help").out, max(map(len, names))
    assert "More:" not in text
    for rows in GROUPS.values():
        for name, line in rows.items():
            assert len(line) <= 45, line
            assert f"\n  {name:<{widest}}  {line}\n" in text
    for name in names:
        assert f"flakefighters {EXAMPLES[name][0]}" in command(name, "--help").out


def test_a_command_loads_no_other(tmp_path: Path) -> None:
    script = "import sys; from flakefighters.cli.app import run; run(['runs', '--help']); "
    script += "print([one for one in sys.modules if one.startswith('flakefighters.cli.')])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    assert "flakefighters.cli.runs" in loaded
    assert "flakefighters.cli.report" not in loaded


def test_every_example_is_understood(shop: Shop, command: Command) -> None:
    """Their options exist; what they name need not."""
    for name, examples in EXAMPLES.items():
        for example in examples:
            words = example.partition(" | ")[0].split()
            assert name in ("", words[0])
            group = len(words) > 1 and words[0] in {
                one.name for one in application().registered_groups
            }
            said = command(*words[: 2 if group else 1], "--help").out
            assert all(word in said for word in words if word.startswith("--")), example


def test_usage_and_errors_are_red_and_name_their_page(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("PY_COLORS", raising=False)
    said = command("show", "ffff")
    assert said.err.startswith("\x1b[31merror: no run ffff")
    page, _, anchor = said.err.split("more: ")[1].partition("\x1b")[0].partition("#")
    assert f"\n## {anchor}\n" in Path(page).read_text("utf-8")
    wrong = command("runs", "--no-such-option")
    assert wrong.code == 2
    assert "\x1b[31merror: No such option" in wrong.err
    assert "see flakefighters runs --help" in wrong.err
    assert "\x1b" not in command("runs", "--json").out


@pytest.mark.parametrize(
    ("variables", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"PY_COLORS": "1", "NO_COLOR": "1"}, False, True),
        ({"PY_COLORS": "0", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_on_colours(variables: dict[str, str], terminal: bool, wanted: bool) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    assert in_colour(Stream(), variables) is wanted


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
