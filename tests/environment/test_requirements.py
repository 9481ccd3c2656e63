"""Which distributions stand behind imported modules, with folders that look installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flakefighters.environment.requirements import behind

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution of one module into a folder on ``sys.path``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name: str, module: str, source: str = "", requires: str = "") -> None:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        lines += [f"Requires-Dist: {one}" for one in requires.splitlines()]
        (info / "METADATA").write_text("\n".join(lines))
        (info / "RECORD").write_text(f"{module}.py,,\n{name}-1.0.dist-info/METADATA,,\n")
        (tmp_path / f"{module}.py").write_text(source)

    return put


def test_what_a_distribution_requires(install: Install) -> None:
    install("Pay_Lib", "pay", requires="vat.lib>=1; python_version>'3'")
    install("vat-lib", "vat", requires="extra-lib; extra == 'x'")
    assert behind(["pay"]) == {"pay-lib", "vat-lib"}
    assert behind(["pay"], deep=False) == {"pay-lib"}


def test_what_it_imports_without_saying_so(install: Install) -> None:
    install("paylib", "pay", "try:\n    from vat import rate\nexcept ImportError:\n    pass\n")
    install("vatlib", "vat", "import deep\n")
    install("deeplib", "deep")
    assert behind(["pay"]) == {"paylib"}
    assert behind(["pay"], sought={"vatlib"}) == {"paylib", "vatlib"}
    assert behind(["pay"], sought={"deeplib"}) == {"paylib", "vatlib", "deeplib"}
    assert behind(["pay"], sought={"deeplib"}, among={"deeplib"}) == {"paylib"}
    assert behind(["pay"], sought={"other"}, among={"vatlib"}) == {"paylib", "vatlib"}


def test_what_is_gone_is_known_by_its_name(install: Install) -> None:
    install("paylib", "pay", "import gone_lib\n")
    assert behind(["gone_lib"]) == {"gone-lib"}
    assert behind(["pay"], sought={"gone-lib"}) == {"paylib", "gone-lib"}


def test_what_is_required_elsewhere_is_not_required_here(install: Install) -> None:
    requires = """old-lib; python_version < '3'
other-system; sys_platform == 'nothing'
plugin; extra == "x" or extra == "y"
both; python_version > '3' and extra == 'x'
needed (>=1.0) ; (python_version >= "3.11" or sys_platform == "win32")
plain
from-url @ https://example.org/from_url-1.0.zip
not one >> spelt, as it should be
"""
    install("paylib", "pay", requires=requires)
    assert behind(["pay"]) == {"paylib", "needed", "plain", "from-url", "not"}
