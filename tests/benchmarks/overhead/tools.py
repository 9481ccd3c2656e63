"""The plugins that are compared, each in an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["BARE", "BESIDE", "OURS", "PYTEST", "ROOT", "TOOLS", "Tool", "with_beside"]

#: The checkout that is measured.
ROOT = Path(__file__).resolve().parents[3]

#: The same pytest for all.
PYTEST = "pytest==9.2.0"


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to run a suite."""

    name: str
    title: str
    #: What pip installs beside pytest.
    requirements: tuple[str, ...] = ()
    #: What is added to the command line.
    arguments: tuple[str, ...] = ()
    #: What it leaves in the working folder; removed before a run.
    leaves: tuple[str, ...] = ()
    #: Its database, if it is a history.
    database: str | None = None


BARE = Tool("bare", "bare pytest")
OURS = Tool(
    "ours",
    "flakefighters (this checkout)",
    requirements=(str(ROOT),),
    leaves=("flakefighters.db*", ".flakefighters"),
    database="flakefighters.db",
)
TOOLS = {
    tool.name: tool
    for tool in (
        BARE,
        OURS,
        Tool(
            "cov",
            "pytest-cov with contexts",
            requirements=("pytest-cov==7.1.0", "coverage==7.17.3"),
            arguments=("--cov", "--cov-context=test", "--cov-report="),
            leaves=(".coverage*",),
        ),
        Tool(
            "testmon",
            "pytest-testmon, first run",
            requirements=("pytest-testmon==2.2.0", "coverage==7.17.3"),
            arguments=("--testmon",),
            leaves=(".testmondata*",),
        ),
        Tool(
            "peer",
            "pytest-flakefighters 0.7",
            requirements=("pytest-flakefighters==0.7.0", "coverage==7.17.3"),
            arguments=("--flakefighters",),
            leaves=("flakefighters.db*", ".coverage*"),
            database="flakefighters.db",
        ),
    )
}
#: Plugins that all tools run with: what pip installs, and what is added to the command line.
BESIDE = {
    "xdist": (("pytest-xdist==3.8.0",), ("-n", "2")),
    "cov": (("pytest-cov==7.1.0", "coverage==7.17.3"), ("--cov", "--cov-branch", "--cov-report=")),
}


def with_beside(tool: Tool, beside: str) -> Tool:
    """The same tool with such a plugin, in bare pytest's environment as well."""
    requirements, arguments = BESIDE[beside]
    return replace(
        tool,
        title=f"{tool.title} with {beside}",
        requirements=(*tool.requirements, *requirements),
        arguments=(*tool.arguments, *arguments),
        leaves=(*tool.leaves, ".coverage*"),
    )
