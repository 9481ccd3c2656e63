"""The growth as a picture: SVG, written without a library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Any, Final, NamedTuple

from tests.benchmarks.flip_rate.plot import STYLE, dot
from tests.benchmarks.scale.measuring import Cost
from tests.benchmarks.scale.tables import clones, fit

__all__ = ["svg"]

_SIZE: Final = 240  # of a panel
_LEFT, _TOP, _BETWEEN, _DOWN, _BOTTOM = 64, 64, 84, 124, 56
_WIDTH: Final = _LEFT + 2 * _SIZE + _BETWEEN + 24
_HEIGHT: Final = _TOP + 2 * _SIZE + _DOWN + _BOTTOM
_NAMES: Final = ("one", "two", "three")
_Point = tuple[float, float]


class _Panel(NamedTuple):
    title: str
    #: What the axes are of.
    axes: tuple[str, str]
    #: Legend and points.
    series: Sequence[tuple[str, Sequence[_Point]]]
    logarithmic: bool = True
    joined: bool = True
    #: A line that is a goal or a fit: its legend and two points.
    ideal: tuple[str, Sequence[_Point]] | None = None


def svg(found: Mapping[str, Any]) -> str:
    """A picture of the numbers that the benchmark writes."""
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        '<title id="title">The cost of a history by its length</title>',
        f'<desc id="desc">{_description(found)}</desc>',
        f"<style>{STYLE}</style>",
    ]
    for number, panel in enumerate(_panels(found)):
        lines += _drawn(number, panel)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _description(found: Mapping[str, Any]) -> str:
    last = found["steps"][-1]
    return (
        f"Four panels, of a project of {found['size']['tests']:,} tests and up to"
        f" {last['runs']:,} runs. The database grows with the runs, to"
        f" {last['sizes']['database'] / 1e6:,.0f} MB. What a session reads and saves takes as long"
        " after many runs as after few. So does the list of tests over the last 500 runs, from 500"
        " runs on. A clone takes as long as what it brings is large."
    )


def _panels(found: Mapping[str, Any]) -> list[_Panel]:
    steps = found["steps"]

    def by_runs(name: str) -> list[_Point]:
        known = [(step["runs"], Cost(*step[name])) for step in steps]
        return [(runs, cost.client + cost.server) for runs, cost in known]

    whole = [(step["runs"], step["sizes"]["database"] / 1e6) for step in steps]
    kept = [(step["runs"], step.get("retained", step)["sizes"]["database"] / 1e6) for step in steps]
    brought = [(one["bytes"] / 1e6, cost.client + cost.server) for _, cost, one in clones(found)]
    start, slope, _ = fit(found)
    most = max(x for x, _ in brought)
    line = ("straight line", [(0.0, start), (most, start + slope * most)])
    cpu = "CPU seconds"
    return [
        _Panel("Size", ("runs", "MB"), [("all", whole), ("180 days", kept)], logarithmic=False),
        _Panel(
            "A session",
            ("runs", cpu),
            [("read at the start", by_runs("start, near")), ("save", by_runs("saving"))],
        ),
        _Panel(
            "The last 500 runs",
            ("runs", cpu),
            [
                ("report", by_runs("report")),
                ("tests", by_runs("tests")),
                ("its question", by_runs("tests, without Python's start")),
            ],
        ),
        _Panel(
            "A clone",
            ("MB over the line", cpu),
            [("clone", brought)],
            logarithmic=False,
            joined=False,
            ideal=line,
        ),
    ]


def _drawn(number: int, panel: _Panel) -> Iterator[str]:
    left = _LEFT + number % 2 * (_SIZE + _BETWEEN)
    top = _TOP + number // 2 * (_SIZE + _DOWN)
    points = [point for _, some in panel.series for point in some]
    across = _Scale(_edges([x for x, _ in points], panel.logarithmic), panel.logarithmic)
    up = _Scale((0.0, _round(max(y for _, y in points))), False)

    def place(point: _Point) -> _Point:
        x, y = across.share(point[0]), up.share(point[1])
        return round(left + x * _SIZE, 1), round(top + (1 - y) * _SIZE, 1)

    yield f'<text class="title" x="{left}" y="{top - 44}">{panel.title}</text>'
    for value in across.ticks():
        x, _ = place((value, 0))
        yield f'<path class="grid" d="M{x} {top}V{top + _SIZE}"/>'
        yield f'<text x="{x}" y="{top + _SIZE + 18}" text-anchor="middle">{value:,.0f}</text>'
    for value in up.ticks():
        _, y = place((across.ends[0], value))
        yield f'<path class="grid" d="M{left} {y}H{left + _SIZE}"/>'
        yield f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{value:,.4g}</text>'
    yield f'<path class="axis" d="M{left} {top}V{top + _SIZE}H{left + _SIZE}"/>'
    middle = left + _SIZE / 2
    under = top + _SIZE + 38
    yield f'<text x="{middle}" y="{under}" text-anchor="middle">{panel.axes[0]}</text>'
    x, y = left - 50, top + _SIZE / 2
    turned = f'transform="rotate(-90 {x} {y})"'
    yield f'<text x="{x}" y="{y}" text-anchor="middle" {turned}>{panel.axes[1]}</text>'
    if panel.ideal is not None:
        ends = "L".join(f"{x} {y}" for x, y in map(place, panel.ideal[1]))
        yield f'<path class="ideal" d="M{ends}"/>'
    for name, (_, some) in zip(_NAMES, panel.series, strict=False):
        placed = [place(point) for point in some]
        if panel.joined:
            yield f'<path class="line {name}" d="M{"L".join(f"{x} {y}" for x, y in placed)}"/>'
        yield from (dot(name, x, y) for x, y in placed)
    yield from _legend(panel, left, top - 20)


def _legend(panel: _Panel, left: float, y: float) -> Iterator[str]:
    x = left
    for name, (text, _) in zip(_NAMES, panel.series, strict=False):
        yield dot(name, x + 4, y - 4)
        yield f'<text x="{x + 14}" y="{y}">{text}</text>'
        x += 34 + 6.2 * len(text)
    if panel.ideal is not None:
        yield f'<path class="ideal" d="M{x} {y - 4}h24"/>'
        yield f'<text x="{x + 32}" y="{y}">{panel.ideal[0]}</text>'


class _Scale(NamedTuple):
    ends: tuple[float, float]
    logarithmic: bool

    def share(self, value: float) -> float:
        """Where a value stands between the ends."""
        least, most = self.ends
        if self.logarithmic:
            least, most, value = log10(least), log10(most), log10(value)
        return (value - least) / (most - least)

    def ticks(self) -> list[float]:
        least, most = self.ends
        if not self.logarithmic:
            return [least + (most - least) * part / 4 for part in range(5)]
        powers = (10.0**power for power in range(10))
        return [
            factor * one for one in powers for factor in (1, 3) if least <= factor * one <= most
        ]


def _edges(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        return min(values) / 1.2, max(values) * 1.2
    return 0.0, _round(max(values))


def _round(value: float) -> float:
    """A little more, with ticks that are short numbers."""
    power = 10.0 ** int(log10(value) - (value < 1))
    return next(step * power for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * power >= value)
