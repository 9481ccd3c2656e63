"""Changed files that are opened, through a real pytest run."""

from __future__ import annotations

from typing import Any

import pytest


def test_opened_files(project: Any) -> None:
    for name in ("data/a.txt", "data/b.txt", "data/fresh/new.txt"):
        project.changed(name, "text")
    project.write("data/c.txt", "text")
    project.write("other/a.txt", "text")
    project.files.add("data/gone.txt")
    (project.path / "link").symlink_to("data")
    (project.path / "named").symlink_to("data/a.txt")
    project.write(
        "test_a.py",
        """
        import ctypes, io, os, pathlib, shutil, sqlite3, pytest

        HERE = pathlib.Path(__file__).parent

        @pytest.fixture(scope="session")
        def wide(): return (HERE / "data" / "b.txt").read_text()

        def test_nothing(): open(HERE / "data" / "c.txt").close()
        def test_open(): open("data/a.txt").close()
        def test_bytes(): io.open(os.fsencode(HERE / "data" / "a.txt"), "rb").close()
        def test_low(): os.close(os.open("data/../data/a.txt", os.O_RDONLY))
        def test_link(): open("link/a.txt").close()
        def test_named(): open("named").close()
        def test_made_link(tmp_path):
            (tmp_path / "input").symlink_to(HERE / "data" / "a.txt")
            (tmp_path / "input").read_text()
        def test_hard_link():
            os.link("data/a.txt", "input.tmp")
            open("input.tmp").close()
            os.unlink("input.tmp")
        def test_renamed():
            os.rename("data/a.txt", "a.tmp")
            open("a.tmp").close()
            os.rename("a.tmp", "data/a.txt")
        def test_copied(tmp_path): shutil.copy("data/a.txt", tmp_path)
        def test_folder_descriptor():
            folder = os.open("data", os.O_RDONLY)
            os.close(os.open("a.txt", os.O_RDONLY, dir_fd=folder))
            os.close(folder)
        def test_cwd(monkeypatch):
            monkeypatch.chdir("data")
            open("a.txt").close()
        def test_same_name(monkeypatch):
            monkeypatch.chdir("other")
            open("a.txt").close()
        def test_database():
            with pytest.raises(sqlite3.Error):
                sqlite3.connect("data/a.txt").execute("select * from sqlite_master")
        def test_uri():
            name = f"file://{HERE}/data/a%2Etxt?mode=ro"
            with pytest.raises(sqlite3.Error):
                sqlite3.connect(name, uri=True).execute("select * from sqlite_master")
        def test_relative_uri():
            sqlite3.connect("file:data/a.txt?mode=ro", uri=True).close()
        def test_library():
            with pytest.raises(OSError):
                ctypes.CDLL(str(HERE / "data" / "a.txt"))
        def test_listing(): os.listdir("data/fresh")
        def test_glob(): list((HERE / "data" / "fresh").glob("*"))
        def test_listing_descriptor():
            folder = os.open("data/fresh", os.O_RDONLY)
            os.listdir(folder)
            os.close(folder)
        def test_gone():
            with pytest.raises(OSError):
                open("data/gone.txt")
        def test_missing():
            with pytest.raises(OSError):
                open(HERE / "missing/a.txt")
        def test_number(): os.fdopen(os.dup(0)).close()
        def test_wide(wide): pass
        def test_wide_too(wide): pass
        def test_strange(monkeypatch):
            def refuse(*a, **k): raise RuntimeError
            for name in ("getcwd", "lstat", "stat", "fspath", "getpid"):
                monkeypatch.setattr(os, name, refuse)
            open("data/a.txt").close()
        """,
    )
    outcome = project.run(expect=(0,))
    a, b, gone, fresh = {"data/a.txt"}, {"data/b.txt"}, {"data/gone.txt"}, {"data/fresh"}
    expected = dict.fromkeys(
        [
            "open",
            "bytes",
            "low",
            "link",
            "named",
            "made_link",
            "hard_link",
            "renamed",
            "copied",
            "folder_descriptor",
        ],
        a,
    )
    expected |= dict.fromkeys(["cwd", "database", "uri", "relative_uri", "library", "strange"], a)
    expected |= dict.fromkeys(["listing", "glob", "listing_descriptor"], fresh)
    expected |= {key: set() for key in ["nothing", "same_name", "missing", "number"]}
    expected |= {"gone": gone, "wide": b, "wide_too": b}
    found = {name: set(outcome.trace(f"test_{name}").opened) for name in expected}
    assert found == expected
    process = outcome.process
    assert ("data/b.txt", "test_a.py") in process.opened  # by a fixture, which keeps it
    assert ("data/a.txt", "<test>") in process.opened
    assert ("data/a.txt", "test_a.py") not in process.opened


def test_what_pytest_and_imports_read_counts_for_nobody(project: Any) -> None:
    project.changed(
        "mod.py",
        "import logging, warnings\n"
        "def f():\n"
        "    try:\n"
        "        warnings.warn('x')\n"
        "        assert 0\n"
        "    except AssertionError:\n"
        "        logging.exception('told')\n"
        "        raise\n",
    )
    project.changed("conftest.py", "import mod\n")
    project.changed("test_a.py", "import mod, pytest\ndef test_a():\n    mod.f()\n")
    project.files.add("pytest.ini")
    outcome = project.run("--tb=long", expect=(1,))
    assert "def f" in outcome.stdout
    assert outcome.trace("test_a").opened == frozenset()
    assert outcome.process.opened == {}


@pytest.mark.parametrize("shown", ["logging.exception('no')", "traceback.format_exc()"])
def test_sources_that_are_read_to_show_an_error_count_for_nobody(project: Any, shown: str) -> None:
    project.changed("mod.py", "def f():\n    raise OSError\n")
    project.write(
        "test_a.py",
        "import logging, traceback, mod\n"
        f"def test_a():\n    try: mod.f()\n    except OSError: {shown}\n"
        "def test_b():\n    import warnings\n"
        "    warnings.formatwarning('no', UserWarning, mod.__file__, 1)\n",
    )
    outcome = project.run(expect=(0,))
    assert outcome.trace("test_a").opened == outcome.trace("test_b").opened == frozenset()


SOURCES = {
    "text": "open('pk/mod.py').close()",
    "getsource": "import inspect; from pk import mod; inspect.getsource(mod)",
    "tokenize": "import tokenize; tokenize.open('pk/mod.py').close()",
    "compileall": "import compileall; compileall.compile_file('pk/mod.py', force=True, quiet=1)",
    "pyclbr": "import pyclbr; pyclbr.readmodule_ex('mod', ['pk'])",
    "get_data": "from pk import mod; mod.__loader__.get_data(mod.__file__)",
    "get_source": "from pk import mod; mod.__loader__.get_source('pk.mod')",
    "resources": "import importlib.resources as r; (r.files('pk') / 'mod.py').read_text()",
    "pytester": "pytester.copy_example('pk/mod.py')",
    "library": "import lib; lib.check('pk/mod.py')",
}


@pytest.mark.parametrize("way", SOURCES)
def test_sources_that_are_read_as_text(project: Any, way: str) -> None:
    project.write("pk/__init__.py", "")
    project.changed("pk/mod.py", "def func(arg: int) -> int:\n    return arg\n")
    project.write(".venv/lib/site-packages/lib.py", "def check(name): open(name).close()\n")
    project.write(
        "test_a.py",
        "import sys\nsys.path.append('.venv/lib/site-packages')\npytest_plugins = 'pytester'\n"
        "def test_b():\n    import pk.mod\n"
        f"def test_a(pytester, monkeypatch):\n    monkeypatch.chdir({str(project.path)!r})\n"
        f"    {SOURCES[way]}\n",
    )
    (project.path / "pytest.ini").write_text("[pytest]\npytester_example_dir = .\n")
    outcome = project.run("-W", "ignore", expect=(0,))
    assert outcome.trace("test_a").opened == {"pk/mod.py"}
    assert outcome.trace("test_b").opened == frozenset()
    assert outcome.trace("test_b").imported == {"pk/__init__.py", "pk/mod.py"}


def test_hypothesis_and_metadata_read_for_themselves(project: Any) -> None:
    project.write("new.py", "")
    project.files.add("new.py")
    project.changed(
        "test_a.py",
        """
        import importlib.metadata, sys
        from hypothesis import given, settings, strategies
        @given(strategies.integers(0, 3).map(lambda x: x + 1))
        @settings(max_examples=2)
        def test_a(n): assert n
        def test_b():
            sys.path_importer_cache.clear()
            importlib.metadata.version("pytest")
        """,
    )
    outcome = project.run("-W", "ignore", expect=(0,))
    assert outcome.trace("test_a").opened == outcome.trace("test_b").opened == frozenset()


def test_loose_files_count_until_they_are_written(project: Any) -> None:
    project.write("cache.json", "{}")
    project.loose = {"cache.json"}
    project.write(
        "test_a.py",
        """
        def test_a(): open("cache.json").close()
        def test_b():
            open("cache.json", "w").close()
            open("cache.json").close()
        """,
    )
    outcome = project.run(expect=(0,))
    assert outcome.trace("test_a").opened == {"cache.json"}
    assert outcome.trace("test_b").opened == frozenset()
