"""The project is installed, and its tests run the installed copy: ``pip install .``, tox."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine

_PYPROJECT = code("""
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"
    [project]
    name = "shop"
    version = "1.0"
    [tool.pytest.ini_options]
    testpaths = ["tests"]
    """)
_TAX = "RATE = 20\n\ndef tax(net):\n    return net * RATE // 100\n"
_TEST = "from shop.tax import tax\n\ndef test_tax():\n    assert tax(100) == 20\n"
_NET = code("""
    import os

    def fetch():
        if os.path.exists(os.environ.get("TROUBLE", "")):
            raise ConnectionError("connection reset by peer")
        return "ok"
    """)
_TEST_NET = "from shop.net import fetch\n\ndef test_net():\n    assert fetch() == 'ok'\n"


def _files(source: str = "src/shop") -> dict[str, Content]:
    return {
        "pyproject.toml": _PYPROJECT,
        f"{source}/__init__.py": "",
        f"{source}/tax.py": _TAX,
        f"{source}/net.py": _NET,
        "tests/test_tax.py": _TEST,
        "tests/test_net.py": _TEST_NET,
    }


def _install(
    repo: Repository,
    version: str = "1.0",
    *,
    source: str = "src/shop",
    into: Path | None = None,
) -> None:
    """What ``pip install .`` leaves in site-packages, which here is a folder on PYTHONPATH."""
    site = into or repo.outside / "venv/lib/python3/site-packages"
    if site not in repo.paths:
        repo.paths.append(site)
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(repo.root / source, site / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    info = site / f"shop-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shop\nVersion: {version}\n")
    (info / "INSTALLER").write_text("pip\n")
    url = {"dir_info": {}, "url": repo.root.as_uri()}
    (info / "direct_url.json").write_text(json.dumps(url))
    (info / "top_level.txt").write_text("shop\n")
    installed = sorted(path for path in site.rglob("*") if path.is_file())
    (info / "RECORD").write_text("".join(f"{path.relative_to(site)},,\n" for path in installed))


def _begin(repo: Repository) -> None:
    repo.save(_files())
    _install(repo)
    repo.passes()


@genuine()
def a_function_in_an_installed_copy(repo: Repository) -> Result:
    """The project is installed anew after each commit, and the tests run the copy."""
    _begin(repo)
    repo.commit({"src/shop/tax.py": swap("net * RATE", "net * RATE * 2")})
    _install(repo)
    return repo.run()


@genuine()
def a_constant_in_an_installed_copy(repo: Repository) -> Result:
    """A constant of the installed copy differs; no function of it does."""
    _begin(repo)
    repo.commit({"src/shop/tax.py": swap("RATE = 20", "RATE = 7")})
    _install(repo)
    return repo.run()


@genuine()
def a_module_missing_in_an_installed_copy(repo: Repository) -> Result:
    """A commit moves a module; the copy has it under its new name alone."""
    _begin(repo)
    repo.commit({"src/shop/tax.py": None, "src/shop/taxes.py": _TAX})
    _install(repo)
    # The test imports inside the function, so that this is a failure and no collection error.
    late = "def test_tax():\n    from shop.tax import tax\n    assert tax(100) == 20\n"
    repo.commit({"tests/test_tax.py": late})
    return repo.run()


@genuine()
def an_installed_copy_in_a_tox_folder(repo: Repository) -> Result:
    """tox installs the project into a folder inside the checkout that git ignores."""
    tox = repo.root / ".tox/py/lib/python3/site-packages"
    repo.save({**_files(), ".gitignore": ".tox/\n"})
    _install(repo, into=tox)
    repo.passes()
    repo.commit({"src/shop/tax.py": swap("RATE = 20", "RATE = 7")})
    _install(repo, into=tox)
    return repo.run()


@genuine()
def an_installed_copy_of_a_flat_layout(repo: Repository) -> Result:
    """The package lies at the top of the checkout, but pytest is started elsewhere."""
    repo.save(_files("shop"))
    _install(repo, source="shop")
    repo.passes(str(repo.root), cwd=repo.outside)
    repo.commit({"shop/tax.py": swap("RATE = 20", "RATE = 7")})
    _install(repo, source="shop")
    return repo.run(str(repo.root), cwd=repo.outside)


@genuine()
def an_installed_copy_with_a_version_of_each_commit(repo: Repository) -> Result:
    """As setuptools-scm does it, the version differs with each commit; so does a function."""
    _begin(repo)
    repo.commit({"src/shop/tax.py": swap("net * RATE", "net * RATE * 2")})
    _install(repo, "1.0.dev1+gabc")
    return repo.run()


@genuine()
def a_data_file_in_an_installed_copy(repo: Repository) -> Result:
    """A file of the package's data differs, which the installed copy reads beside itself."""
    reading = code("""
        from pathlib import Path

        def tax(net):
            return net * int((Path(__file__).parent / "rate.txt").read_text()) // 100
        """)
    repo.save({**_files(), "src/shop/tax.py": reading, "src/shop/rate.txt": "20"})
    _install(repo)
    repo.passes()
    repo.commit({"src/shop/rate.txt": "7"})
    _install(repo)
    return repo.run()


@flaky()
def another_function_in_an_installed_copy(repo: Repository) -> Result:
    """A function of the installed copy differs that the failing test does not run."""
    _begin(repo)
    repo.commit({"src/shop/tax.py": swap("net * RATE", "RATE * net")})
    _install(repo)
    return repo.run(trouble=True)


@flaky()
def another_version_of_the_same_copy(repo: Repository) -> Result:
    """The version tells the commit, and nothing differs that the test runs."""
    repo.save({**_files(), "notes.txt": "1\n"})
    _install(repo, "1.0")
    repo.passes()
    repo.commit({"notes.txt": "2\n"})
    _install(repo, "1.0.dev1+gabc")
    return repo.run(trouble=True)


@flaky(or_undecided=True)
def an_installed_copy_that_is_old(repo: Repository) -> Result:
    """The checkout changed, but nobody installed it again: the code that runs is the same."""
    _begin(repo)
    repo.commit({"src/shop/net.py": swap('return "ok"', 'return str("ok")')})
    return repo.run(trouble=True)
