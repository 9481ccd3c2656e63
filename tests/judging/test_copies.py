"""Installed files that have other paths in the checkout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from flakefighters.judging.baselines import packages_of
from flakefighters.judging.copies import renamed
from flakefighters.state.checkout import Checkout
from flakefighters.state.disk import SHORT, blob_id
from flakefighters.state.git import Git


def found(tmp_path: Path, here: Mapping[str, str], installed: Mapping[str, str]) -> dict[str, str]:
    """What is found of these contents by path."""
    site = tmp_path / "site-packages"
    for path, text in installed.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    state = {path: blob_id(text.encode())[:SHORT] for path, text in here.items()}
    files = [(str(site), path) for path in installed]
    return renamed(files, [state], packages_of(state), Checkout(base=tmp_path, _git=Git(tmp_path)))


@pytest.mark.parametrize(
    ("here", "installed", "expected"),
    [
        ({"src/shop/tax.py": "a"}, {"shop/tax.py": "b"}, {}),
        ({"impl/tax.py": "a"}, {"shop/tax.py": "a"}, {"shop/tax.py": "impl/tax.py"}),
        ({"gen/vat.py": "a", "x.py": "b"}, {"shop/tax.py": "a"}, {"shop/tax.py": "gen/vat.py"}),
        ({"lots/of/shop.py": "a"}, {"shop.py": "b"}, {"shop.py": "lots/of/shop.py"}),
        ({"impl/tax.py": "a"}, {"shop/made.py": "b"}, {"shop/made.py": ""}),
        ({"impl/tax.py": "a"}, {"shop/_version.py": "b", "shop/made.txt": "b"}, {}),
    ],
    ids=["by_path", "folder", "file", "name", "unknown", "stamp_and_data"],
)
def test_where_a_file_comes_from(
    tmp_path: Path,
    here: Mapping[str, str],
    installed: Mapping[str, str],
    expected: Mapping[str, str],
) -> None:
    assert found(tmp_path, here, installed) == expected


def test_files_lie_beside_those_that_were_installed_with_them(tmp_path: Path) -> None:
    """Empty files tell nothing by their content, nor do those of an edit that was undone."""
    here = {
        "impl/__init__.py": "",
        "impl/sub/tax.py": "a",
        "impl/net.py": "n",
        "other/__init__.py": "",
        "other/tax.py": "o",
    }
    installed = {"shop/__init__.py": "", "shop/sub/tax.py": "edited", "shop/net.py": "n"}
    built = {"shop/_rate.cpython-313-x86_64-linux-gnu.so": "\x7fELF"}
    expected = {path: path.replace("shop", "impl") for path in (installed | built)}
    assert found(tmp_path, here, installed | built) == expected
