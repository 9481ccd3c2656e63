"""Node ids as the history keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.capture.nodeids import Names, based, offset, own_file


@pytest.mark.parametrize(
    ("nodeid", "way", "expected"),
    [
        ("tests/test_a.py::test_a", "", "tests/test_a.py::test_a"),
        ("tests/test_a.py::test_a", "sub", "sub/tests/test_a.py::test_a"),
        ("../test_a.py::test_a[../x]", "sub", "test_a.py::test_a[../x]"),
        ("../test_a.py::test_a", "", "../test_a.py::test_a"),
        ("a.py::b[::]", "sub/x", "sub/x/a.py::b[::]"),
        ("a b.py", "sub", "sub/a b.py"),
    ],
)
def test_based(nodeid: str, way: str, expected: str) -> None:
    assert based(nodeid, way) == expected


def test_offset() -> None:
    assert offset(Path("/a/b/c"), Path("/a")) == "b/c"
    assert offset(Path("/a"), Path("/a")) == ""
    assert offset(Path("/b"), Path("/a")) == ""


def test_own_file() -> None:
    assert own_file("tests/test_a.py::Test::test[a::b]") == "tests/test_a.py"


def test_names_of_a_sub_folder() -> None:
    names = Names(Path("/top/sub"), Path("/top"))
    names.learn(["a.py::x", "../b.py::y"])
    assert names("a.py::x") == "sub/a.py::x"
    assert names("../b.py::y") == "b.py::y"
    assert names.pytests("sub/a.py::x") == "a.py::x"
    assert names.pytests("b.py::y") == "../b.py::y"


def test_names_outside_of_the_rootdir(tmp_path: Path) -> None:
    """pytest calls a file by its way from the argument; the history by where it is."""
    (tmp_path / "root").mkdir()
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "other" / "deep" / "test_a.py").touch()
    names = Names(tmp_path / "root", tmp_path, [tmp_path / "other"])
    names.learn(["deep/test_a.py::x"])
    assert names("deep/test_a.py::x") == "other/deep/test_a.py::x"
    assert names.pytests("other/deep/test_a.py::x") == "deep/test_a.py::x"


def test_groups_of_xdist() -> None:
    names = Names(Path("/top"), Path("/top"), groups=True)
    ids = ["a.py::x@db", "a.py::x[a@b]", "a.py::y[a@b]@db", "a@b/c.py::x"]
    names.learn(ids)
    assert [names(nodeid) for nodeid in ids] == [
        "a.py::x",
        "a.py::x[a@b]",
        "a.py::y[a@b]",
        "a@b/c.py::x",
    ]


def test_names_without_secrets() -> None:
    def clean(text: str) -> str:
        return text.replace("hunter1", "<secret>").replace("hunter2", "<secret>")

    names = Names(Path("/top"), Path("/top"), clean=clean)
    ids = ["a.py::x[hunter1]", "a.py::x[hunter2]", "a.py::plain"]
    names.learn(ids)
    known = [names(nodeid) for nodeid in ids]
    assert known == ["a.py::x[<secret>]", "a.py::x[<secret>]#2", "a.py::plain"]
    assert [names(nodeid) for nodeid in ids] == known
    assert [names.pytests(name) for name in known] == ids
