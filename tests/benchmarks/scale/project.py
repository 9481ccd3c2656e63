"""A project of one year, run by run: what it tests, where, and what fails.

A pure function of its size and seed.  How often flaky tests fail is the model of
``tests/benchmarks/flip_rate``, which has the tail that was published for FlakeFlagger's tests.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flakefighters.ids import h128
from flakefighters.model import (
    JOINT,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Project,
    Run,
    RunHead,
    State,
    Verdict,
)
from tests.benchmarks.flip_rate.simulation import FLAKY, flaky_rate
from tests.benchmarks.scale.sayings import WORDS, failure, reason

__all__ = ["DAY", "PROJECT", "Size", "simulated"]

PROJECT: Final = Project(identity="github.com/acme/market", label="github.com/acme/market")
SECOND: Final = 1_000_000
DAY: Final = 24 * 3600 * SECOND
#: A pipeline runs the suite in so many cells; four runs of five are of pipelines.
CELLS: Final = 4
_PIPELINES: Final = 0.5
#: Files of the project, and how many of them a commit changes at most.
_FILES, _CHANGED = 2000, 6
#: How likely a commit breaks tests, on main and on a branch, and the next one leaves them broken.
_BREAKS_MAIN, _BREAKS_BRANCH, _LASTS = 0.08, 0.25, 0.6
#: A commit that breaks something breaks so many tests on average.
_BROKEN: Final = 6
#: The share of tests that are skipped, and how likely a commit renames a test.
_SKIPPED, _RENAMES = 0.005, 0.04
#: Flaky tests whose failures name a number that differs; failures that nobody has seen before.
_VARYING, _NEW = 0.3, 0.02


class Size(NamedTuple):
    """How large a simulation is."""

    tests: int = 10_000
    runs: int = 10_000
    machines: int = 100
    days: int = 365
    seed: int = 1
    #: When the last run starts, µs UTC: 2026-11-01.
    until: int = 1_793_491_200_000_000


class _Machine(NamedTuple):
    host: str
    #: None for the machine of a developer.
    cell: int | None
    #: How long its tests take, as a factor.
    pace: float


@dataclass(slots=True)
class _Branch:
    """Where a branch stands."""

    name: str
    files: dict[str, str]
    suite: list[str]
    #: Test to the number of the commit that broke it.
    broken: dict[str, int]
    commits: int = 0
    left: int = 1 << 31
    commit: str = ""
    state: str = ""


class _Flaky(NamedTuple):
    rate: float
    #: Ways to fail.
    kinds: int
    varies: bool


@dataclass(slots=True)
class _World:
    """What is drawn once."""

    size: Size
    main: _Branch
    machines: list[_Machine]
    flaky: dict[str, _Flaky]
    skipped: frozenset[str]
    usual: dict[str, int] = field(default_factory=dict)
    environments: dict[tuple[str, int], Environment] = field(default_factory=dict)


def simulated(size: Size, skip: int = 0) -> Iterator[tuple[Run, list[Verdict]]]:
    """The runs of a project in order of their start, with verdicts, without the first ``skip``.

    They go on for ever; those that ``size`` asks for are spread over its days.
    """
    world = _world(size)
    seen: list[str] = []
    described: set[str] = set()
    for number, (branch, machine, build) in enumerate(_schedule(world)):
        started = _started(size, number)
        name = _run_id(size, number, started)
        new = branch.state not in described
        described.add(branch.state)
        if number >= skip:
            draw = random.Random(f"{size.seed} {number}")
            yield _Making(world, branch, machine, draw).run(name, started, build, new, seen)
        seen.insert(0, name)
        del seen[50:]


def _started(size: Size, number: int) -> int:
    """Evenly over the days; what comes after the last run comes soon."""
    left = size.runs - 1 - number
    return size.until - round(
        left * size.days * DAY / size.runs if left > 0 else left * 600 * SECOND
    )


def _run_id(size: Size, number: int, started: int) -> str:
    """A UUIDv7 that is the same in every simulation."""
    rest = h128("simulated", size.seed, size.tests, number)
    return f"{started // 1000:012x}7{rest[:3]}8{rest[3:18]}"


def _world(size: Size) -> _World:
    draw = random.Random(f"world {size.seed}")
    suite = [_nodeid(draw, number) for number in range(size.tests)]
    files = {
        f"src/market/{draw.choice(WORDS)}/{draw.choice(WORDS)}_{n:04}.py": _blob(draw)
        for n in range(_FILES)
    }
    cells = min(8, max(1, size.machines // 2))
    machines = [
        _Machine(
            h128("host", size.seed, n)[:12],
            n % cells if n < 0.8 * size.machines else None,
            draw.uniform(0.7, 1.5),
        )
        for n in range(size.machines)
    ]
    flaky = {
        test: _Flaky(flaky_rate(draw), draw.randint(1, 3), draw.random() < _VARYING)
        for test in suite
        if draw.random() < FLAKY
    }
    skipped = frozenset(test for test in suite if draw.random() < _SKIPPED) - flaky.keys()
    return _World(size, _Branch("main", files, suite, {}), machines, flaky, skipped)


def _nodeid(draw: random.Random, number: int) -> str:
    folder, about = draw.choice(WORDS), draw.choice(WORDS)
    case = f"[{draw.choice(WORDS)}-{number % 9}]" if draw.random() < 0.4 else ""
    return f"tests/{folder}/test_{about}_{number // 25:03}.py::test_{about}_{number:05}{case}"


def _blob(draw: random.Random) -> str:
    return f"{draw.getrandbits(64):016x}"


def _schedule(world: _World) -> Iterator[tuple[_Branch, _Machine, str | None]]:
    """What is run where: pipelines in all their cells, and developers one by one."""
    draw = random.Random(f"schedule {world.size.seed}")
    runners: dict[int, list[_Machine]] = {}
    for one in world.machines:
        if one.cell is not None:
            runners.setdefault(one.cell, []).append(one)
    developers = [one for one in world.machines if one.cell is None] or world.machines
    branches: list[_Branch] = []
    build = 0
    while True:
        branch = _next_branch(world, branches, draw)
        _commit(world, branch, draw)
        if draw.random() < _PIPELINES:
            build += 1
            for cell in draw.sample(sorted(runners), min(CELLS, len(runners))):
                yield branch, draw.choice(runners[cell]), str(1000 + build)
        else:
            yield branch, draw.choice(developers), None


def _next_branch(world: _World, branches: list[_Branch], draw: random.Random) -> _Branch:
    """Main, or one of a few branches, each of some commits."""
    if draw.random() < 0.4:
        return world.main
    branches[:] = [one for one in branches if one.left > 0]
    if len(branches) < 6:
        main = world.main
        number = 100 + main.commits
        branches.append(
            _Branch(
                f"feature-{number}-{draw.choice(WORDS)}",
                dict(main.files),
                list(main.suite),
                dict(main.broken),
                left=draw.randint(2, 8),
            )
        )
    return draw.choice(branches)


def _commit(world: _World, branch: _Branch, draw: random.Random) -> None:
    branch.commits += 1
    branch.left -= 1
    for path in draw.sample(sorted(branch.files), draw.randint(1, _CHANGED)):
        branch.files[path] = _blob(draw)
    if draw.random() < _RENAMES:
        place = draw.randrange(len(branch.suite))
        branch.suite = list(branch.suite)
        branch.suite[place] = _nodeid(draw, draw.randrange(100_000, 1_000_000))
    if branch.broken and draw.random() > _LASTS:
        branch.broken = {}
    if draw.random() < (_BREAKS_MAIN if branch is world.main else _BREAKS_BRANCH):
        # Tests that stand together break together.
        first, many = draw.randrange(len(branch.suite)), 1 + int(draw.expovariate(1 / _BROKEN))
        cause = draw.getrandbits(30)
        broken = dict.fromkeys(branch.suite[first : first + many], cause)
        branch.broken = branch.broken | broken
    branch.commit = f"{draw.getrandbits(160):040x}"
    branch.state = f"{draw.getrandbits(160):040x}"


class _Failed(NamedTuple):
    nodeid: str
    failure: Failure
    genuine: bool


@dataclass(slots=True)
class _Making:
    """One run."""

    world: _World
    branch: _Branch
    machine: _Machine
    draw: random.Random

    def run(
        self, name: str, started: int, build: str | None, new: bool, seen: Sequence[str]
    ) -> tuple[Run, list[Verdict]]:
        branch, suite = self.branch, self.branch.suite
        failed = {one.nodeid: one for one in self._failed()}
        durations = self._durations()
        tree = branch.state
        state = State(
            id=h128("state", tree, None), tree=tree, files=dict(branch.files) if new else None
        )
        environment = self._environment(started)
        skipped = self.world.skipped
        executions = [
            Execution(
                nodeid=test,
                attempt=1,
                outcome=Outcome.FAILED if test in failed else Outcome.SKIPPED,
                durations=(100, 20_000 + 10 * place, 80) if test in failed else (90, None, 70),
                reason=None if test in failed else "needs a service that this machine lacks",
                failures=(failed[test].failure,) if test in failed else (),
            )
            for place, test in enumerate(suite)
            if test in failed or test in skipped
        ]
        pr = None if branch.name == "main" else branch.name.split("-")[1]
        head = RunHead(
            id=name,
            project=PROJECT.identity,
            started=started,
            ended=started + 100 * sum(durations) // 4,
            build=build,
            job=None if build is None else f"tests-{self.machine.cell}",
            attempt=None if build is None else 1,
            commit=branch.commit,
            tree=tree,
            branch=branch.name,
            base_branch=None if pr is None else "main",
            pr=None if build is None else pr,
            dirty=False,
            state=state.id,
            environment=environment.id,
            environment_key=environment.key,
            origin={"program": "flakefighters 1.0.0", "host": self.machine.host}
            | ({} if build is None else {"ci": "github"}),
        )
        run = Run(
            head=head,
            project=PROJECT,
            state=state,
            environment=environment,
            suite=tuple(suite),
            outcomes="".join(
                ["F" if test in failed else "s" if test in skipped else "." for test in suite]
            ),
            durations=durations,
            executions=executions,
            seen={"runs": list(seen)},
        )
        return run, self._verdicts(run, list(failed.values()), seen)

    def _failed(self) -> Iterator[_Failed]:
        draw, broken = self.draw, self.branch.broken
        here = set(self.branch.suite)
        for test, (rate, kinds, varies) in self.world.flaky.items():
            if draw.random() < rate and test in here and test not in broken:
                kind = draw.randrange(kinds) if draw.random() > _NEW else draw.getrandbits(40)
                number = draw.randrange(10_000) if varies else 0
                yield _Failed(test, failure(test, kind, number), False)
        for test, cause in broken.items():
            if test in here:
                yield _Failed(test, failure(test, cause, 0), True)

    def _durations(self) -> list[int]:
        usual, pace, some = self.world.usual, self.machine.pace, self.draw.random
        for test in self.branch.suite:
            if test not in usual:
                chance = random.Random(f"{self.world.size.seed} {test}")
                usual[test] = 3 + int(chance.lognormvariate(4, 1.2))
        made = [1] * (3 * len(self.branch.suite))
        made[1::3] = [int(usual[test] * pace * (0.8 + 0.5 * some())) for test in self.branch.suite]
        made[::3] = [1 + (n % 7 == 0) for n in made[1::3]]
        return made

    def _environment(self, started: int) -> Environment:
        """The settings of its cell, or its own; what is installed changes every month."""
        world, cell, month = self.world, self.machine.cell, started // (30 * DAY)
        owner = self.machine.host if cell is None else f"cell {cell}"
        known = world.environments.get((owner, month))
        if known is not None:
            return known
        number = world.machines.index(self.machine) if cell is None else cell
        settings = {
            "implementation": "CPython",
            "python": f"3.{11 + number % 4}",
            "os": ("Linux", "macOS")[number // 4 % 2],
            "arch": "x86_64",
            "job": owner,
        }
        installed = {f"distribution-{n}": f"{n % 5}.{month % (n + 2)}.{n}" for n in range(80)}
        made = Environment(
            id=h128("environment", settings, installed),
            key=h128("environment key", settings),
            settings=settings,
            distributions=installed,
        )
        world.environments[owner, month] = made
        return made

    def _verdicts(self, run: Run, failed: Sequence[_Failed], seen: Sequence[str]) -> list[Verdict]:
        draw, found = self.draw, []
        for nodeid, _, genuine in failed:
            sure = draw.random()
            label = Label.GENUINE if genuine else Label.FLAKY
            label = label if sure < 0.8 else Label.UNDECIDED
            by = "touched_change" if genuine or sure > 0.4 else "same_state"
            changes = [f"src/market/order/{draw.choice(WORDS)}_{n}.py" for n in range(3)]
            evidence: Mapping[str, object] = {
                "baseline": seen[0] if seen else None,
                "by": by,
                "changes": changes if genuine else [],
                "open": not genuine,
                "seen": len(seen),
            }
            found += [
                Verdict(
                    label=label,
                    fighter=fighter,
                    version=1,
                    confidence=Confidence.STRONG if sure < 0.5 else Confidence.FAIR,
                    reason=reason(label, seen, changes),
                    evidence=evidence,
                    run=run.head.id,
                    nodeid=nodeid,
                    at=(run.head.ended or 0) + 400_000,
                )
                for fighter in (JOINT, by)
            ]
        return found
