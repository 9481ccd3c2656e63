"""The calibration as a picture: SVG, written without a library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["STYLE", "dot", "svg"]

_SIZE: Final = 240  # of a panel
_LEFT, _TOP, _BETWEEN, _BOTTOM = 60, 44, 80, 92
_WIDTH: Final = _LEFT + 2 * _SIZE + _BETWEEN + 20
_HEIGHT: Final = _TOP + _SIZE + _BOTTOM
#: Each number of runs has a class of colours and a shape, so that colour is not needed to read it.
_SERIES: Final = ("one", "two", "three")
STYLE: Final = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .axis, .grid, .ideal { stroke: #57606a; fill: none; }
  .grid { stroke-opacity: 0.2; }
  .ideal { stroke-dasharray: 4 4; }
  .line { fill: none; stroke-width: 1.5; }
  .one { stroke: #0969da; } .two { stroke: #bc4c00; } .three { stroke: #1a7f37; }
  .dot { stroke: none; }
  .dot.one { fill: #0969da; } .dot.two { fill: #bc4c00; } .dot.three { fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .axis, .grid, .ideal { stroke: #8d96a0; }
    .one { stroke: #58a6ff; } .two { stroke: #f0883e; } .three { stroke: #56d364; }
    .dot.one { fill: #58a6ff; } .dot.two { fill: #f0883e; } .dot.three { fill: #56d364; }
  }
"""

Point = tuple[float, float]


def svg(figures: Mapping[str, Any]) -> str:
    """A picture of what :func:`..__main__.figures` returns."""
    names = [f"{one['runs']} runs" for one in figures["windows"]]
    intervals = [
        [(float(level), share) for level, share in one["intervals"].items()]
        for one in figures["windows"]
    ]
    chance = [[(said, seen) for said, seen, _ in one["chance"]] for one in figures["windows"]]
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        '<title id="title">Calibration of the flake rate</title>',
        f'<desc id="desc">{_description(figures)}</desc>',
        f"<style>{STYLE}</style>",
        *_panel(
            0,
            "Intervals",
            ("asked of the interval", "holds the true rate"),
            intervals,
            least=0.4,
        ),
        *_panel(1, "Failures", ("said to be by chance", "were by chance"), chance, least=0.0),
        *_legend(names),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(figures: Mapping[str, Any]) -> str:
    said = [
        f"with {one['runs']} runs the interval of 90 % holds the true rate in"
        f" {one['intervals']['0.9']:.0%}"
        for one in figures["windows"]
    ]
    return (
        "Two panels of simulated histories. The left one shows how often intervals hold the true"
        " rate of a test, against how often they should; the right one how many failures were by"
        f" chance, against the probability that was said. On the dashed line both agree;"
        f" {', '.join(said)}."
    )


def _panel(
    number: int,
    title: str,
    axes: tuple[str, str],
    series: Sequence[Sequence[Point]],
    *,
    least: float,
) -> Iterator[str]:
    left = _LEFT + number * (_SIZE + _BETWEEN)

    def place(point: Point) -> tuple[float, float]:
        x, y = ((value - least) / (1 - least) * _SIZE for value in point)
        return round(left + x, 1), round(_TOP + _SIZE - y, 1)

    yield f'<text class="title" x="{left}" y="{_TOP - 20}">{title}</text>'
    ticks = 6 if least else 5
    for step in range(ticks + 1):
        value = least + (1 - least) * step / ticks
        x, y = place((value, value))
        yield f'<path class="grid" d="M{x} {_TOP}V{_TOP + _SIZE}M{left} {y}H{left + _SIZE}"/>'
        yield f'<text x="{x}" y="{_TOP + _SIZE + 18}" text-anchor="middle">{value:.0%}</text>'
        yield f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{value:.0%}</text>'
    yield f'<path class="axis" d="M{left} {_TOP}V{_TOP + _SIZE}H{left + _SIZE}"/>'
    x, y = place((1, 1))
    yield f'<path class="ideal" d="M{left} {_TOP + _SIZE}L{x} {y}"/>'
    middle = left + _SIZE / 2
    yield f'<text x="{middle}" y="{_TOP + _SIZE + 38}" text-anchor="middle">{axes[0]}</text>'
    x, y = left - 46, _TOP + _SIZE / 2
    yield (
        f'<text x="{x}" y="{y}" text-anchor="middle"'
        f' transform="rotate(-90 {x} {y})">{axes[1]}</text>'
    )
    for name, points in zip(_SERIES, series, strict=True):
        placed = [place(point) for point in points]
        yield f'<path class="line {name}" d="M{"L".join(f"{x} {y}" for x, y in placed)}"/>'
        yield from (dot(name, x, y) for x, y in placed)


def dot(name: str, x: float, y: float) -> str:
    """The mark of a series, "one", "two" or "three"."""
    if name == "one":
        return f'<circle class="dot {name}" cx="{x}" cy="{y}" r="3.5"/>'
    if name == "two":
        return f'<rect class="dot {name}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
    return f'<path class="dot {name}" d="M{x} {y - 4.5:.1f}l4.5 8h-9z"/>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    y = _HEIGHT - 16
    for at, (kind, name) in enumerate(zip(_SERIES, names, strict=True)):
        x = _LEFT + 110 * at
        yield dot(kind, x, y - 4)
        yield f'<text x="{x + 12}" y="{y}">{name}</text>'
    x = _LEFT + 110 * len(names)
    yield f'<path class="ideal" d="M{x} {y - 4}h24"/>'
    yield f'<text x="{x + 32}" y="{y}">as it should be</text>'
