"""The command's help: its commands in groups, a line each, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import typer
from typer.core import TyperGroup

__all__ = ["EXAMPLES", "GROUPS", "Grouped", "describe"]

#: What each group's commands do, in at most 45 characters.
GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Look": {
        "runs": "List the newest runs",
        "show": "Show a run with its failures and verdicts",
        "tests": "List tests by failures, with flake rates",
        "explain": "Tell why a test failed, with the evidence",
        "localise": "Rank the lines that make a test flaky",
        "report": "Write HTML, Markdown, JSON, JUnit or CSV",
        "fighters": "Tell how often later proof agreed",
    },
    "Prove": {
        "confirm": "Run failing tests again to settle verdicts",
        "bisect": "Find the commit that broke a test",
    },
    "Decide": {
        "mark": "Say what you know of a test or failure",
        "quarantine": "Add, list, remove, suggest, export, import",
    },
    "Set up": {
        "init": "Write profiles.toml; share a history",
        "profiles": "List profiles and which one is used here",
        "config": "Show every setting and where it was set",
        "check": "Check the way to a history, step by step",
        "login": "Store a password in the system's keyring",
        "logout": "Remove a password from the keyring",
    },
    "Share": {
        "clone": "Copy a shared history into the local one",
        "pull": "Fetch the runs that the local one lacks",
        "push": "Send the runs that wait for delivery",
        "sync": "Pull, then push",
        "import": "Bring runs that other tools recorded",
    },
    "Administer": {
        "upgrade": "Create the tables or bring them up to date",
        "grants": "Print SQL that gives each role its rights",
        "prune": "Remove runs that are older than is kept",
        "purge": "Remove a run, or what a secret leaked into",
    },
}

#: Under the help of a command, and under that of the command as a whole ("").
EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("runs", "explain tests/test_tax.py::test_vat", "tests --flaky --since 14d"),
    "runs": ("runs --limit 5", "runs --all-projects --json"),
    "show": ("show", "show 51be --tracebacks"),
    "tests": ("tests --failed", "tests --flaky --branch main --since 14d"),
    "explain": (
        "explain tests/test_tax.py::test_vat",
        "explain test_vat --run 51be",
        "explain tests/test_tax.py",
    ),
    "localise": ("localise test_retry", "localise test_retry --functions --metric dstar"),
    "report": (
        "report -o report.html",
        "report 51be --format markdown | gh pr comment -F -",
        "report --since 30d --branch main -o tests.csv",
    ),
    "confirm": ("confirm", "confirm 51be --all", "confirm tests/test_tax.py::test_vat"),
    "bisect": ("bisect tests/test_tax.py::test_vat", "bisect test_vat --good v1.4"),
    "mark": ('mark test_retry flaky --reason "the sandbox is slow"', "mark test_retry --undo"),
    "quarantine": (
        "quarantine add tests/test_pay.py::test_retry --until 30d",
        "quarantine suggest",
        "quarantine export quarantine.jsonl",
    ),
    "fighters": ("fighters", "fighters --runs 2000 --json"),
    "init": (
        "init",
        "init --shared postgresql://ci_writer@db.example.org/flakes --ci github",
    ),
    "profiles": ("profiles", "profiles --profile shared"),
    "config": ("config", "config --json"),
    "check": ("check", "check ci"),
    "login": ("login shared",),
    "logout": ("logout shared",),
    "clone": ("clone", "clone --since 90d", "clone --from sqlite:///artifact.db"),
    "pull": ("pull", "pull --from shared --into local"),
    "push": ("push", "push --to ci --local-runs"),
    "sync": ("sync", "sync --from ci"),
    "import": (
        "import junit build/reports artifacts.zip --branch main",
        "import pytest-flakefighters flakefighters.db --dry-run",
    ),
    "upgrade": ("upgrade --profile owner --dry-run",),
    "grants": ("grants --profile ci | psql postgresql://admin@db.example.org/flakes",),
    "prune": ("prune --keep-days 90 --dry-run",),
    "purge": ("purge 51be --dry-run",),
}


class Grouped(TyperGroup):
    """Lists its commands by group."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group."""
        widest = max(map(len, self.list_commands(ctx)))
        for title, lines in GROUPS.items():
            with formatter.section(title):
                # As wide in each group.
                formatter.write_dl([(f"{name:<{widest}}", line) for name, line in lines.items()])


def describe(app: typer.Typer) -> None:
    """Give every command of ``app`` its line and its examples."""
    lines = {name: line for rows in GROUPS.values() for name, line in rows.items()}
    app.info.epilog = _examples("")
    for command in app.registered_commands:
        name = command.name or ""
        command.short_help = lines.get(name)
        command.epilog = _examples(name)
    for group in app.registered_groups:
        group.short_help = lines.get(group.name or "")
        group.epilog = _examples(group.name or "")


def _examples(name: str) -> str | None:
    """A paragraph that is not wrapped."""
    examples = EXAMPLES.get(name, ())
    if not examples:
        return None
    shown = "\n".join(f"  flakefighters {example}" for example in examples)
    return f"\b\n{'Example' if len(examples) == 1 else 'Examples'}:\n{shown}"
