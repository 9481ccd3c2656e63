"""Sources that are read as text, and data that are opened by other ways than ``open()``."""

from __future__ import annotations

import sqlite3

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine

# -- sources read as text ------------------------------------------------------------------------

#: A style checker, as a library and as a plugin that has an item for each file.
_LINT = code("""
    import ast
    import os

    def names(path):
        with open(path) as file:
            tree = ast.parse(file.read())
        return sorted(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))

    def complaints(package):
        folder = package.__path__[0]
        found = []
        for entry in sorted(os.listdir(folder)):
            if entry.endswith(".py"):
                with open(os.path.join(folder, entry)) as file:
                    found += [line for line in file if "( " in line]
        return found
    """)
_LINT_PLUGIN = code("""
    import pytest

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".py" and "shop" in file_path.parts:
            return LintFile.from_parent(parent, path=file_path)

    class LintFile(pytest.File):
        def collect(self):
            yield LintItem.from_parent(self, name="LINT")

    class LintItem(pytest.Item):
        def runtest(self):
            with open(self.path) as file:
                assert "( " not in file.read()
    """)
_SHIPPED = "def send(order):\n    return list(order)\n"
_UGLY = "def send(order):\n    return list( order )\n"

#: The body of the test, by the name of the story; the module is not imported.
_READERS = {
    "a_style_checker": "assert lintlib.complaints(shop) == []",
    "a_parser": "assert lintlib.names(SHIP) == ['send']",
    "pyclbr": "assert list(pyclbr.readmodule_ex('shop.ship')) == ['send']",
    "compileall": "assert compileall.compile_file(SHIP, quiet=2, force=True)",
    "tokenize": "assert sum(1 for t in tokenize.tokenize(open(SHIP, 'rb').readline)) == 17",
    "inspect": "assert 'send' in inspect.getsource(importlib.import_module('shop.ship'))",
    "pkgutil": "assert b'send' in pkgutil.get_data('shop', 'ship.py')",
    "importlib_resources": "assert 'send' in (resources.files('shop') / 'ship.py').read_text()",
    "a_listing": "assert os.path.getsize(SHIP) < 50",
}
_TEST_SOURCE = code("""
    import compileall
    import importlib
    import inspect
    import os
    import pkgutil
    import pyclbr
    import tokenize
    from importlib import resources

    import lintlib
    import shop

    SHIP = os.path.join(os.path.dirname(shop.__file__), "ship.py")

    def test_source():
        {body}
    """)
_BREAKING = {
    "a_style_checker": _UGLY,
    "compileall": "def send(order:\n    return list(order)\n",
    "tokenize": "def send(order):\n    return (list(order))\n",
    "a_listing": "def send(order):\n    return list(order) or list(reversed(order))\n",
}


def _add_reader(name: str) -> None:
    def play(repo: Repository) -> Result:
        repo.site("lintlib", "1.0", {"lintlib.py": _LINT})
        test = _TEST_SOURCE.format(body=_READERS[name])
        repo.start({"shop/ship.py": _SHIPPED, "tests/test_source.py": test})
        broken = _BREAKING.get(name, _SHIPPED.replace("send", "ship"))
        repo.commit({"shop/ship.py": broken})
        return repo.run()

    play.__name__ = f"a_source_read_by_{name}"
    play.__doc__ = f"A changed source is not imported, but read as text by {name}."
    genuine("test_source.py::test_source", or_undecided=True)(play)


for _name in _READERS:
    _add_reader(_name)


@genuine("ship.py::LINT")
def an_item_of_the_changed_file(repo: Repository) -> Result:
    """A plugin has an item for each source file; its own file changed."""
    repo.site("pytest-lint", "1.0", {"pytest_lint.py": _LINT_PLUGIN})
    repo.options += ["-p", "pytest_lint"]
    repo.start({"shop/ship.py": _SHIPPED})
    repo.commit({"shop/ship.py": _UGLY})
    return repo.run()


@flaky()
def a_source_read_by_another_test(repo: Repository) -> Result:
    """A changed source is read as text, by a test that passes."""
    repo.site("lintlib", "1.0", {"lintlib.py": _LINT})
    test = _TEST_SOURCE.format(body=_READERS["a_parser"])
    repo.start({"shop/ship.py": _SHIPPED, "tests/test_source.py": test})
    repo.commit({"shop/ship.py": swap("list(order)", "[*order]")})
    return repo.run(trouble=True)


# -- data ----------------------------------------------------------------------------------------

_HEAD = code("""
    import ctypes
    import mmap
    import os
    import pathlib
    import shutil
    import sqlite3
    import ssl
    import subprocess
    import zipfile

    import pytest

    DATA = pathlib.Path(__file__).parent / "data"

    @pytest.mark.parametrize("which", ["a", "b"])
    def test_data(which, tmp_path):
    """)

#: How the test reads ``DATA / f"{which}.db.txt"``, by the name of the story.
_OPENERS = {
    "a_symbolic_link": """
        (tmp_path / "input").symlink_to(DATA / f"{which}.db.txt")
        assert (tmp_path / "input").read_text() == "1\\n"
    """,
    "a_hard_link": """
        place = DATA.parent / "input.tmp"
        os.link(DATA / f"{which}.db.txt", place)
        try:
            assert place.read_text() == "1\\n"
        finally:
            place.unlink()
    """,
    "a_descriptor_of_the_folder": """
        folder = os.open(DATA, os.O_RDONLY)
        file = os.open(f"{which}.db.txt", os.O_RDONLY, dir_fd=folder)
        assert os.read(file, 9) == b"1\\n"
        os.close(file)
        os.close(folder)
    """,
    "another_current_folder": """
        before = os.getcwd()
        os.chdir(DATA)
        try:
            assert pathlib.Path(f"{which}.db.txt").read_text() == "1\\n"
        finally:
            os.chdir(before)
    """,
    "a_copy": """
        shutil.copytree(DATA, tmp_path / "copy")
        assert (tmp_path / "copy" / f"{which}.db.txt").read_text() == "1\\n"
    """,
    "a_renamed_copy": """
        shutil.copyfile(DATA / f"{which}.db.txt", tmp_path / "input")
        assert (tmp_path / "input").read_text() == "1\\n"
    """,
    "a_memory_map": """
        file = os.open(DATA / f"{which}.db.txt", os.O_RDONLY)
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as mapped:
            assert mapped[:] == b"1\\n"
        os.close(file)
    """,
    "its_size": """
        assert (DATA / f"{which}.db.txt").stat().st_size == 2
    """,
    "openssl": """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.raises(ssl.SSLError, match="NO_CERTIFICATE"):
            context.load_verify_locations(DATA / f"{which}.db.txt")
    """,
    "a_child": """
        said = subprocess.run(["cat", f"{which}.db.txt"], cwd=DATA, capture_output=True)
        assert said.stdout == b"1\\n"
    """,
    "the_c_library": """
        libc = ctypes.CDLL(None)
        libc.fopen.restype = libc.fgets.restype = ctypes.c_void_p
        libc.fgets.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
        line = ctypes.create_string_buffer(9)
        libc.fgets(line, 9, libc.fopen(bytes(DATA / f"{which}.db.txt"), b"r"))
        assert line.value == b"1\\n"
    """,
}
_NEW = {
    "its_size": "21\n",
    "openssl": "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
}


def _body(name: str) -> str:
    return "".join(f"    {line}" for line in code(_OPENERS[name]).splitlines(keepends=True))


def _add_opener(name: str) -> None:
    def play(repo: Repository) -> Result:
        data: dict[str, Content] = {f"data/{which}.db.txt": "1\n" for which in "ab"}
        repo.start({**data, "test_files.py": _HEAD + _body(name)})
        repo.commit({"data/b.db.txt": _NEW.get(name, "2\n")})
        return repo.run()

    play.__name__ = f"data_by_{name}"
    play.__doc__ = f"A test reads a changed file by {name}, under a computed name."
    genuine("test_files.py::test_data[b]", or_undecided=True)(play)


for _name in _OPENERS:
    _add_opener(_name)


#: As mypy does, a library reads sources in C.
_CHECKER = code("""
    import ctypes

    def check(name):
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        stream = libc.fopen(name.encode(), b"r")
        text = ctypes.create_string_buffer(1000)
        libc.fread(text, 1, 999, ctypes.c_void_p(stream))
        libc.fclose(ctypes.c_void_p(stream))
        return b"RATE: str" not in text.value
    """)


@genuine("test_types.py::test_types", or_undecided=True)
def a_source_that_is_read_in_c(repo: Repository) -> Result:
    """A type checker reads a changed source, which nobody imports, without Python's knowledge."""
    repo.site("mypy", "1.0", {"mypy.py": _CHECKER})
    test = "import mypy\n\ndef test_types():\n    assert mypy.check('shop/rates.py')\n"
    repo.start({"shop/rates.py": "RATE: int = 20\n", "tests/test_types.py": test})
    repo.commit({"shop/rates.py": "RATE: str = 20\n"})
    return repo.run()


def _database(repo: Repository, value: int) -> None:
    path = repo.root / "data" / "rates.sqlite"
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS rate (value)")
    connection.execute("DELETE FROM rate")
    connection.execute("INSERT INTO rate VALUES (?)", [value])
    connection.commit()
    connection.close()


_QUERIES = {
    "a_connection": """
        database = sqlite3.connect(DATA / ("rates" + ".sqlite"))
        rows = database.execute("SELECT value FROM rate").fetchall()
    """,
    "a_uri": """
        address = f"file:{DATA / ('rates' + '.sqlite')}?mode=ro"
        database = sqlite3.connect(address, uri=True)
        rows = database.execute("SELECT value FROM rate").fetchall()
    """,
    "attach": """
        database = sqlite3.connect(":memory:")
        database.execute("ATTACH ? AS data", [str(DATA / ("rates" + ".sqlite"))])
        rows = database.execute("SELECT value FROM data.rate").fetchall()
    """,
}


def _add_query(name: str) -> None:
    def play(repo: Repository) -> Result:
        test = "import pathlib\nimport sqlite3\n\nDATA = pathlib.Path(__file__).parent / 'data'\n\n"
        lines = code(_QUERIES[name]) + "database.close()\nassert rows == [(20,)]\n"
        test += "def test_rate():\n" + "".join(f"    {x}\n" for x in lines.splitlines())
        _database(repo, 20)
        repo.start({"test_files.py": test})
        _database(repo, 7)
        repo.commit()
        return repo.run()

    play.__name__ = f"a_sqlite_file_by_{name}"
    play.__doc__ = f"A tracked SQLite file is read by {name}, under a computed name."
    genuine("test_files.py::test_rate", or_undecided=True)(play)


for _name in _QUERIES:
    _add_query(_name)


@flaky()
def data_that_another_test_links(repo: Repository) -> Result:
    """Changed data is read through a link, by a test that passes."""
    data: dict[str, Content] = {f"data/{which}.db.txt": "1\n" for which in "ab"}
    body = _body("a_symbolic_link").replace('== "1\\n"', "")
    repo.start({**data, "tests/test_zz.py": _HEAD.replace("parent /", "parent.parent /") + body})
    repo.commit({"data/b.db.txt": "2\n"})
    return repo.run("tests/test_net.py", "tests/test_zz.py", trouble=True)
