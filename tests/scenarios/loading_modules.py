"""Modules that come in by other ways than ``import``, and files by other names."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios.builder import ON_CI, Content, Repository, Result, code, swap
from tests.scenarios.registry import changes, flaky, genuine

_BODY = "def rate():\n    return {value}\n"
_HEAD = code("""
    import importlib.machinery
    import importlib.util
    import os
    import runpy
    import sys

    PATH = os.path.join(os.path.dirname(__file__), "plug", "mod.py")
    """)
_TAIL = "\ndef test_x():\n    assert m.rate() == 1\n"

#: How ``m`` comes to be the module, by the name of the story.
_WAYS = {
    "spec_from_file_location": (
        "It is executed from a spec that names its path.",
        """
        spec = importlib.util.spec_from_file_location("mod", PATH)
        m = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(m)
        """,
    ),
    "lazy_loader": (
        "It is executed when its first attribute is asked for.",
        """
        spec = importlib.util.spec_from_file_location("mod", PATH)
        spec.loader = importlib.util.LazyLoader(spec.loader)
        m = importlib.util.module_from_spec(spec)
        sys.modules["mod"] = m
        spec.loader.exec_module(m)
        """,
    ),
    "source_file_loader": (
        "A loader of the standard library is called by hand.",
        """
        loader = importlib.machinery.SourceFileLoader("mod", PATH)
        m = importlib.util.module_from_spec(importlib.util.spec_from_loader("mod", loader))
        loader.exec_module(m)
        """,
    ),
    "run_path": (
        "runpy executes the file, and its functions are taken from the result.",
        """
        class m:
            rate = staticmethod(runpy.run_path(PATH)["rate"])
        """,
    ),
    "exec_of_compiled_text": (
        "The file's text is compiled and executed.",
        """
        space = {}
        with open(PATH) as file:
            exec(compile(file.read(), PATH, "exec"), space)
        class m:
            rate = staticmethod(space["rate"])
        """,
    ),
    "exec_of_anonymous_text": (
        "The file's text is executed under no name.",
        """
        space = {}
        with open(PATH) as file:
            exec(file.read(), space)
        class m:
            rate = staticmethod(space["rate"])
        """,
    ),
    "custom_loader": (
        "A finder of the project's own makes the module.",
        """
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "virtual":
                    return importlib.util.spec_from_loader(name, Loader())

        class Loader:
            def create_module(self, spec):
                return None

            def exec_module(self, module):
                with open(PATH) as file:
                    exec(compile(file.read(), "<virtual>", "exec"), vars(module))

        sys.meta_path.insert(0, Finder)
        import virtual as m
        """,
    ),
    "zipped_module": (
        "It is imported from an archive that is made of the folder.",
        """
        import tempfile
        import zipfile

        archive = os.path.join(tempfile.mkdtemp(), "plug.zip")
        with zipfile.ZipFile(archive, "w") as made:
            made.write(PATH, "zipped_mod.py")
        sys.path.insert(0, archive)
        import zipped_mod as m
        """,
    ),
}
for _name, (_story, _way) in _WAYS.items():
    changes(
        f"loaded_by_{_name}",
        f"A changed module is no import. {_story}",
        {"plug/mod.py": _BODY.format(value=1), "test_m.py": _HEAD + code(_way) + _TAIL},
        {"plug/mod.py": _BODY.format(value=2)},
        nodeid="test_m.py::test_x",
        topic="loading_modules",
    )


@genuine("test_m.py::test_x")
def loaded_again_by_reload(repo: Repository) -> Result:
    """A module is imported, and reloaded by the test."""
    test = "import importlib\nimport mod\n\ndef test_x():\n"
    test += "    assert importlib.reload(mod).rate() == 1\n"
    repo.start({"mod.py": _BODY.format(value=1), "test_m.py": test})
    repo.commit({"mod.py": _BODY.format(value=2)})
    return repo.run()


@flaky()
def loaded_by_path_and_not_by_this_test(repo: Repository) -> Result:
    """A module is loaded by its path, in another test file than the one that fails."""
    way = code(_WAYS["spec_from_file_location"][1])
    test = _HEAD + way + _TAIL.replace("m.rate() == 1", "m.rate()")
    test = test.replace("os.path.dirname(__file__)", 'os.path.dirname(__file__), ".."')
    repo.start({"plug/mod.py": _BODY.format(value=1), "tests/test_zz.py": test})
    repo.commit({"plug/mod.py": _BODY.format(value=2)})
    return repo.run("tests/test_net.py", "tests/test_zz.py", trouble=True)


# -- symbolic links of other names -------------------------------------------------------------

_LINKED: dict[str, Content] = {
    "src/real_mod.py": "def f():\n    return 1\n",
    "src/common_conftest.py": ("import pytest\n\n@pytest.fixture\ndef v():\n    return 1\n"),
    "src/suite.py": "def test_own():\n    assert 1 == 1\n",
    "src/data.txt": "1\n",
    "test_a.py": code("""
        from pathlib import Path

        import linked

        def test_module():
            assert linked.f() == 1

        def test_fixture(v):
            assert v == 1

        def test_data():
            assert (Path(__file__).parent / "input.dat").read_text() == "1\\n"
        """),
}
_LINKS = {
    "linked.py": "src/real_mod.py",
    "conftest.py": "src/common_conftest.py",
    "test_suite.py": "src/suite.py",
    "input.dat": "src/data.txt",
}


def _linked(repo: Repository, after: dict[str, Content]) -> Result:
    repo.write(_LINKED)
    for name, target in _LINKS.items():
        (repo.root / name).symlink_to(target)
    repo.start()
    repo.commit(after)
    return repo.run()


def _add_linked(what: str, file: str, old: str, new: str, nodeid: str) -> None:
    def play(repo: Repository) -> Result:
        return _linked(repo, {file: swap(old, new)})

    play.__name__ = f"behind_a_link_{what}"
    play.__doc__ = f"The {what} is a tracked symbolic link of another name than the changed file."
    genuine(nodeid)(play)


_add_linked("module", "src/real_mod.py", "return 1", "return 2", "test_a.py::test_module")
_add_linked("conftest", "src/common_conftest.py", "return 1", "return 2", "test_a.py::test_fixture")
_add_linked("test_file", "src/suite.py", "1 == 1", "1 == 2", "test_suite.py::test_own")
_add_linked("data_file", "src/data.txt", "1\n", "2\n", "test_a.py::test_data")


@genuine("test_a.py::test_module")
def a_link_that_points_elsewhere(repo: Repository) -> Result:
    """Only the link changes: it leads to another file, which was there before."""
    repo.write({"src/other_mod.py": "def f():\n    return 2\n"})
    repo.write(_LINKED)
    for name, target in _LINKS.items():
        (repo.root / name).symlink_to(target)
    repo.start()
    (repo.root / "linked.py").unlink()
    (repo.root / "linked.py").symlink_to("src/other_mod.py")
    repo.commit()
    return repo.run()


# -- native code ---------------------------------------------------------------------------------

RATE_IN_C = code("""
    #include <Python.h>
    static PyObject *rate(PyObject *s, PyObject *a) { return PyLong_FromLong(20); }
    static PyMethodDef m[] = {{"rate", rate, METH_NOARGS, ""}, {0}};
    static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "_rate", 0, -1, m};
    PyMODINIT_FUNC PyInit__rate(void) { return PyModule_Create(&d); }
    """)
_NATIVE: dict[str, Content] = {
    "_rate.c": RATE_IN_C,
    ".gitignore": "*.so\n",
    "tests/test_rate.py": "import _rate\n\ndef test_rate():\n    assert _rate.rate() == 20\n",
}


def compile_extension(source: Path, folder: Path) -> None:
    """Build the extension module ``_rate`` of a file in C; skips where that is not possible."""
    compiler, include = shutil.which("cc"), sysconfig.get_path("include")
    target = folder / f"_rate{sysconfig.get_config_var('EXT_SUFFIX')}"
    command = [str(compiler), "-shared", "-fPIC", f"-I{include}", "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, check=False) if compiler else None
    if done is None or done.returncode:
        pytest.skip("no C compiler here, or no headers of Python")


def _native(repo: Repository) -> None:
    repo.write(_NATIVE)
    compile_extension(repo.root / "_rate.c", repo.root)
    repo.start()
    repo.commit({"_rate.c": swap("FromLong(20)", "FromLong(7)")})
    compile_extension(repo.root / "_rate.c", repo.root)


@genuine("test_rate.py::test_rate", or_undecided=True)
def a_native_extension(repo: Repository) -> Result:
    """An extension is built in place from a changed file in C, and git ignores what is built."""
    _native(repo)
    return repo.run()


@genuine("test_rate.py::test_rate", or_undecided=True)
def a_native_extension_in_ci(repo: Repository) -> Result:
    """The same in CI, where nobody edits files beside what is committed."""
    repo.env |= ON_CI
    _native(repo)
    return repo.run(env={"GITHUB_RUN_ID": "2"})


@genuine("test_rate.py::test_rate", or_undecided=True)
def a_native_extension_that_git_tracks(repo: Repository) -> Result:
    """The built extension itself is committed, and nothing else changes."""
    repo.write({**_NATIVE, ".gitignore": ""})
    compile_extension(repo.root / "_rate.c", repo.root)
    repo.start()
    (repo.outside / "other.c").write_text(RATE_IN_C.replace("FromLong(20)", "FromLong(7)"))
    compile_extension(repo.outside / "other.c", repo.root)
    repo.commit()
    return repo.run()


_change = partial(changes, topic="loading_modules")
_change(
    "named_by_a_table_of_entry_points",
    "A module is loaded by the names that stand in a text file of the project.",
    {
        "plugins.txt": "shop.vat\n",
        "shop/vat.py": "RATE = 20\n",
        "tests/test_tax.py": code("""
            import importlib
            from pathlib import Path

            def test_tax():
                names = (Path(__file__).parent.parent / "plugins.txt").read_text().split()
                assert [importlib.import_module(name).RATE for name in names] == [20]
            """),
    },
    {"shop/vat.py": "RATE = 7\n"},
)
