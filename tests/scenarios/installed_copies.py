"""The project is installed, and its tests run the installed copy: ``pip install .``, tox."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.scenarios.builder import ON_CI, Content, Repository, Result, code, swap
from tests.scenarios.loading_modules import RATE_IN_C, compile_extension
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
    package: str = "shop",
    into: Path | None = None,
) -> None:
    """What ``pip install .`` leaves in site-packages, which here is a folder on PYTHONPATH."""
    site = into or repo.outside / "venv/lib/python3/site-packages"
    if site not in repo.paths:
        repo.paths.append(site)
    shutil.rmtree(site, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(repo.root / source, site / package, ignore=ignored)
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


def _add_layout(name: str, source: str, package: str) -> None:
    def play(repo: Repository) -> Result:
        files = _files(source)
        del files["tests/test_net.py"]
        files["tests/test_tax.py"] = _TEST.replace("shop", package.replace("/", "."))
        repo.save(files)
        _install(repo, source=source, package=package)
        repo.passes()
        repo.commit({f"{source}/tax.py": swap("RATE = 20", "RATE = 7")})
        _install(repo, source=source, package=package)
        return repo.run()

    play.__name__ = f"an_installed_copy_of_{name}"
    play.__doc__ = f"The package {package} lies in {source}, and is installed from there."
    genuine()(play)


_add_layout("a_namespace", "src/acme/shop", "acme/shop")
_add_layout("a_project_among_others", "packages/shop/src/shop", "shop")


def _add_renamed(name: str, source: str, edit: str, *, used: str = "tax(100)") -> None:
    def play(repo: Repository) -> Result:
        test = f"from shop.tax import tax, RATE\n\ndef test_tax():\n    assert {used} == 20\n"
        repo.save({**_files(source), "tests/test_tax.py": test})
        _install(repo, source=source)
        repo.passes()
        repo.commit({f"{source}/tax.py": swap("RATE = 20", edit)})
        _install(repo, source=source)
        return repo.run()

    play.__name__ = f"an_installed_copy_by_another_name_of_{name}"
    play.__doc__ = f"What lies in {source} is installed as shop (``package_dir``, ``sources``)."
    genuine()(play)


_add_renamed("a_folder", "impl", "RATE = 7")
_add_renamed("a_folder_below", "python/impl/core", "RATE = 7")
_add_renamed("a_constant", "impl", "RATE = 7", used="RATE")


def _add_renamed_file(name: str, edit: str, used: str) -> None:
    def play(repo: Repository) -> Result:
        files = _files("impl")
        files["generated/vat.py"] = files.pop("impl/tax.py")
        test = f"from shop.tax import tax, RATE\n\ndef test_tax():\n    assert {used} == 20\n"
        repo.save({**files, "tests/test_tax.py": test})
        _install_file(repo)
        repo.passes()
        repo.commit({"generated/vat.py": swap("RATE = 20", edit)})
        _install_file(repo)
        return repo.run()

    play.__name__ = f"an_installed_copy_by_another_name_of_a_file_and_{name}"
    play.__doc__ = "A single file is installed under another name (hatch's ``force-include``)."
    genuine()(play)


def _install_file(repo: Repository, head: str = "") -> None:
    site = repo.outside / "venv/lib/python3/site-packages"
    _install(repo, source="impl")
    (site / "shop/tax.py").write_text(head + (repo.root / "generated/vat.py").read_text())
    record = site / "shop-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "shop/tax.py,,\n")


_add_renamed_file("a_function", "RATE = 7", "tax(100)")
_add_renamed_file("a_constant", "RATE = 7", "RATE")


@genuine(or_undecided=True)
def an_installed_module_that_the_build_writes(repo: Repository) -> Result:
    """A build writes a module from a file of another name; nothing tells from which."""
    files = _files("impl")
    files["generated/vat.py"] = files.pop("impl/tax.py")
    repo.save(files)
    _install_file(repo, "# Made by the build.\n")
    repo.passes()
    repo.commit({"generated/vat.py": swap("RATE = 20", "RATE = 7")})
    _install_file(repo, "# Made by the build.\n")
    return repo.run()


@genuine()
def an_installed_module_of_an_odd_folder(repo: Repository) -> Result:
    """A single module is installed from a folder that tells no package (``py_modules``)."""
    test = "from shop import tax\n\ndef test_tax():\n    assert tax(100) == 20\n"
    repo.save(
        {"pyproject.toml": _PYPROJECT, "lots/tables/shop.py": _TAX, "tests/test_tax.py": test}
    )
    _install(repo, source="lots/tables", package=".")
    repo.passes()
    repo.commit({"lots/tables/shop.py": swap("net * RATE", "net * RATE * 2")})
    _install(repo, source="lots/tables", package=".")
    return repo.run()


@genuine(or_undecided=True)
def an_edit_that_was_undone_of_a_copy_by_another_name(repo: Repository) -> Result:
    """An edit was installed under another name and then undone; the tests still run it."""
    repo.save(_files("impl"))
    _install(repo, source="impl")
    repo.passes()
    repo.edit("impl/tax.py", "RATE = 20", "RATE = 7")
    _install(repo, source="impl")
    repo.edit("impl/tax.py", "RATE = 7", "RATE = 20")
    repo.commit({"notes.txt": "2\n"})
    return repo.run()


@flaky()
def another_function_in_a_copy_by_another_name(repo: Repository) -> Result:
    """A function of the installed copy differs that the failing test does not run."""
    repo.save(_files("impl"))
    _install(repo, source="impl")
    repo.passes()
    repo.commit({"impl/tax.py": swap("net * RATE", "RATE * net")})
    _install(repo, source="impl")
    return repo.run(trouble=True)


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


@genuine(or_undecided=True)
def a_native_extension_in_an_installed_copy(repo: Repository) -> Result:
    """An extension is built of a changed source in C, and installed with the package, in CI."""
    calls = "from shop._rate import rate\n\ndef tax(net):\n    return net * rate() // 100\n"
    repo.env |= ON_CI
    source = repo.root / "src/shop/_rate.c"
    site = repo.outside / "venv/lib/python3/site-packages"
    repo.save({**_files(), "src/shop/tax.py": calls, "src/shop/_rate.c": RATE_IN_C})
    _install(repo)
    compile_extension(source, site / "shop")
    repo.passes()
    repo.commit({"src/shop/_rate.c": swap("FromLong(20)", "FromLong(7)")})
    _install(repo)
    compile_extension(source, site / "shop")
    return repo.run(env={"GITHUB_RUN_ID": "2"})


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


@genuine(or_undecided=True)
def an_installed_copy_of_an_edit_that_was_undone(repo: Repository) -> Result:
    """An edit was installed and then undone in the checkout; the tests still run it."""
    _begin(repo)
    repo.edit("src/shop/tax.py", "RATE = 20", "RATE = 7")
    _install(repo)
    repo.edit("src/shop/tax.py", "RATE = 7", "RATE = 20")
    repo.commit({"notes.txt": "2\n"})
    return repo.run()


@flaky(or_undecided=True)
def an_installed_copy_that_is_old(repo: Repository) -> Result:
    """The checkout changed, but nobody installed it again: the code that runs is the same."""
    _begin(repo)
    repo.commit({"src/shop/net.py": swap('return "ok"', 'return str("ok")')})
    return repo.run(trouble=True)
