"""Classes that only hold values."""

from __future__ import annotations

import pytest

from flakefighters.source.records import records


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"Line = namedtuple('Line', 'a b')\n", {"Line"}),
        (b"Line = collections.namedtuple('Line', 'a b')\n", {"Line"}),
        (b"class Line(NamedTuple):\n    a: int\n", {"Line"}),
        (b"class Line(t.NamedTuple):\n    a: int\n", {"Line"}),
        (b"@dataclass\nclass Line:\n    a: int\n", {"Line"}),
        (b"@dataclasses.dataclass(frozen=True)\nclass Line:\n    a: int = 1\n", {"Line"}),
        (b"@dataclass\nclass Line:\n    a: list = field(default_factory=list)\n", {"Line"}),
        (b"@dataclass\nclass Line:\n    a: list = field(default_factory=make)\n", set()),
        (b"@dataclass\nclass Line:\n    def __post_init__(self): 1\n", set()),
        (b"@dataclass\nclass Line(Base):\n    a: int\n", set()),
        (b"@registered\nclass Line:\n    a: int\n", set()),
        (b"class Line(Base):\n    a: int\n", set()),
        (b"def Line(): 1\n", set()),
        (b"Line = namedtuple('Line', 'a')\nclass Line(Line): pass\n", set()),
        (b"Line = namedtuple('Line', 'a')\nLine == 1\nLine('a')\n", {"Line"}),
    ],
)
def test_names(source: bytes, expected: set[str]) -> None:
    assert records([source, b"x = 1\n"]) == expected


def test_two_of_one_name() -> None:
    made = b"Line = namedtuple('Line', 'a b')\n"
    assert records([made, made]) == {"Line"}
    assert records([made, b"class Line: pass\n"]) == frozenset()
