"""Where a run ran."""

from __future__ import annotations

import os
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from flakefighters.environment import distributions
from flakefighters.environment.differences import compare
from flakefighters.environment.facts import Inputs, read
from flakefighters.model import ChangeKind

NOTHING: list[str] = []


def test_this_process() -> None:
    found = read(Inputs())
    assert found.settings["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found.settings["implementation"] == sys.implementation.name
    assert found.settings["optimize"] == sys.flags.optimize
    assert found.distributions["pytest"] == pytest.__version__
    assert found == read(Inputs())


def test_the_versions_that_metadata_knows() -> None:
    """Names of folders tell what a slow reading of the metadata would."""
    found = distributions.installed()
    for known in metadata.distributions():
        name = distributions.normalised(known.metadata["Name"])
        if name in found and found[name] != distributions.EDITABLE:
            assert found[name] == known.version.replace("-", "_")
    assert len(found) > 10


@pytest.mark.parametrize(
    "inputs",
    [
        Inputs(path=NOTHING, options={"importmode": "importlib"}),
        Inputs(path=NOTHING, ci={"job": "3.12", "matrix": {"os": ["a"], "share": 0.5}}),
        Inputs(path=NOTHING, state_env={"MODE": "fast"}),
        Inputs(path=NOTHING, state_env={"MODE": None}),
    ],
)
def test_settings_make_the_key(inputs: Inputs) -> None:
    plain, other = read(Inputs(path=NOTHING)), read(inputs)
    assert plain.key != other.key
    assert plain.id != other.id
    assert other.key == read(inputs).key
    (change,) = compare(plain, other)[:1]
    assert (change.kind, change.how) == (ChangeKind.SETTING, "added")


def test_variables_are_never_stored() -> None:
    found = read(Inputs(state_env={"TOKEN": "hunter2-hunter2"}))
    assert "hunter2" not in repr(found)
    other = read(Inputs(state_env={"TOKEN": "hunter3-hunter3"}))
    assert found.key != other.key
    assert "hunter" not in repr(compare(found, other))


def test_the_time_zone_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("needs tzset")
    keys = set()
    try:
        for zone in ("Asia/Tokyo", "America/Lima"):
            with monkeypatch.context() as patch:
                patch.setenv("TZ", zone)
                time.tzset()
                keys.add(read(Inputs(path=NOTHING)).key)
    finally:
        time.tzset()
    assert len(keys) == 2


def site(tmp_path: Path, *names: str) -> str:
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    return os.fspath(tmp_path)


def test_names_of_folders(tmp_path: Path) -> None:
    folder = site(
        tmp_path,
        "Foo_Bar.baz-1.0.dist-info",
        "old-2.0-py3.11.egg-info",
        "native-2.1-py3.11-linux-x86_64.egg-info",
        "beside_sources.egg-info",
        "~ip-1.0.dist-info",
        "twice-1.0.dist-info",
        "twice-1.1.dist-info",
        "nothing",
    )
    assert distributions.installed([folder, "/absent", folder, ""]) | {} == {
        **distributions.installed([""]),
        "foo-bar-baz": "1.0",
        "native": "2.1",
        "old": "2.0",
        "twice": "1.1",
    }


def test_the_first_on_the_path_wins(tmp_path: Path) -> None:
    one = site(tmp_path / "one", "a-1.dist-info")
    two = site(tmp_path / "two", "a-2.dist-info", "b-2.dist-info")
    assert distributions.installed([one, two]) == {"a": "1", "b": "2"}


def test_a_project_in_place_has_no_version(tmp_path: Path) -> None:
    """Its version may hold the commit; its code is in the work tree."""
    folder = site(tmp_path, "shop-1.0.dev5+gabc.dist-info", "tool-1.0.dist-info")
    link = '{"dir_info": {"editable": true}, "url": "file:///x"}'
    (tmp_path / "shop-1.0.dev5+gabc.dist-info" / "direct_url.json").write_text(link)
    (tmp_path / "tool-1.0.dist-info" / "direct_url.json").write_text('{"url": "https://x"}')
    assert distributions.installed([folder]) == {"shop": "editable", "tool": "1.0"}


def test_distributions_compared(tmp_path: Path) -> None:
    old = read(Inputs(path=[site(tmp_path / "old", "a-1.dist-info", "b-1.dist-info")]))
    new = read(Inputs(path=[site(tmp_path / "new", "a-2.dist-info", "c-1.dist-info")]))
    assert old.key == new.key
    assert old.id != new.id
    found = [(change.path, change.how, change.before, change.after) for change in compare(old, new)]
    assert found == [
        ("a", "changed", "1", "2"),
        ("b", "removed", "1", None),
        ("c", "added", None, "1"),
    ]
    assert {change.kind for change in compare(old, new)} == {ChangeKind.DISTRIBUTION}


@pytest.mark.parametrize(
    ("name", "link", "expected"),
    [
        ("shop", "{}", ["shop.py", "shop/tax.py", "shop/rates, new.txt"]),
        (
            "other",
            '{"url": "file:///home/me/shop"}',
            ["shop.py", "shop/tax.py", "shop/rates, new.txt"],
        ),
        ("other", "{}", []),
        ("shop", '{"dir_info": {"editable": true}}', []),
    ],
    ids=["by_name", "by_folder", "another", "editable"],
)
def test_files_that_the_project_has_installed(
    tmp_path: Path, name: str, link: str, expected: list[str]
) -> None:
    folder = site(tmp_path, f"{name}-1.0.dist-info")
    (tmp_path / f"{name}-1.0.dist-info/direct_url.json").write_text(link)
    (tmp_path / f"{name}-1.0.dist-info/RECORD").write_text(
        "shop.py,sha256=x,1\nshop/tax.py,,\nshop/__pycache__/tax.cpython-313.pyc,,\n"
        f'"shop/rates, new.txt",,\n{name}-1.0.dist-info/RECORD,,\n../../../bin/shop,,\n'
    )
    found = list(distributions.own_files({"shop"}, "/home/me/shop", [folder]))
    assert found == [(folder, path) for path in expected]


def test_owners_of_modules(tmp_path: Path) -> None:
    folder = site(tmp_path, "ns_one-1.dist-info", "ns_two-1.dist-info", "old-1-py3.11.egg-info")
    (tmp_path / "ns_one-1.dist-info/RECORD").write_text(
        "ns/one/__init__.py,sha256=x,1\nsingle.py,,\nns_one-1.dist-info/METADATA,,\n../bin/x,,\n"
    )
    (tmp_path / "ns_two-1.dist-info/RECORD").write_text('"ns/two/a,b.py",,\nfast.abi3.so,,\n')
    (tmp_path / "old-1-py3.11.egg-info/top_level.txt").write_text("old\n_old\n")
    assert distributions.owners([folder]) == {
        "ns": ("ns-one", "ns-two"),
        "single": ("ns-one",),
        "fast": ("ns-two",),
        "old": ("old",),
        "_old": ("old",),
    }
