# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were looked for to refute the verdicts: names and how they are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import genuine


def change(
    name: str,
    story: str,
    before: Mapping[str, Content],
    after: Mapping[str, Content],
    nodeid: str = "test_tax.py::test_tax",
    touch: Callable[[Repository], None] | None = None,
    ready: Callable[[Repository], None] | None = None,
) -> None:
    """A commit breaks a test; ``ready`` prepares the folder, ``touch`` comes before the commit."""

    def play(repo: Repository) -> Result:
        if ready is not None:
            repo.write(before)
            ready(repo)
        repo.start(before)
        repo.write(after)
        if touch is not None:
            touch(repo)
        repo.commit({})
        return repo.run()

    play.__name__, play.__doc__, play.__module__ = name, story, "adversarial"
    genuine(nodeid, or_undecided=True)(play)


def tax(reads: str, head: str = "") -> str:
    """The function under test, of which the rate is what it ``reads``."""
    return f"{head}\n\ndef tax(net):\n    return net * {reads} // 100\n"


# ---- 1. names added that were there already -------------------------------------------------
change(
    "shadowed_by_a_second_binding",
    "A second statement binds a constant again.",
    {"shop/tax.py": "RATE = 20\n" + tax("RATE")},
    {"shop/tax.py": "RATE = 20\nRATE = 7\n" + tax("RATE")},
)
change(
    "shadowed_by_a_loop_variable",
    "A new loop at module level rebinds a constant.",
    {"shop/tax.py": "rate = 20\n" + tax("rate")},
    {
        "shop/tax.py": "rate = 20\nTABLE = {}\nfor rate in (5, 7):\n    TABLE[rate] = str(rate)\n"
        + tax("rate")
    },
)
change(
    "deleted_by_a_clean_up",
    "A new del statement takes a constant away that a function reads.",
    {"shop/tax.py": "RATE = 20\nTABLE = [RATE]\n" + tax("RATE")},
    {"shop/tax.py": "RATE = 20\nTABLE = [RATE]\ndel RATE\n" + tax("RATE")},
)
change(
    "a_function_shadowed_by_an_import",
    "An import brings a function of the name of one that is there.",
    {
        "shop/rates.py": "def rate():\n    return 7\n",
        "shop/tax.py": "def rate():\n    return 20\n" + tax("rate()"),
    },
    {"shop/tax.py": "def rate():\n    return 20\n\nfrom shop.rates import rate\n" + tax("rate()")},
)
change(
    "an_import_shadowed_by_a_class",
    "A new class has the name of an imported one.",
    {
        "shop/rates.py": "class Rate:\n    value = 20\n",
        "shop/tax.py": "from shop.rates import Rate\n" + tax("Rate.value"),
    },
    {
        "shop/tax.py": "from shop.rates import Rate\n\nclass Rate:\n    value = 7\n"
        + tax("Rate.value")
    },
)
change(
    "a_missing_name_under_a_broad_except",
    "The code expects with `except Exception` that a name is missing.",
    {
        "shop/tax.py": code("""
        def tax(net):
            try:
                return net * RATE // 100
            except Exception:
                return 20
        """)
    },
    {"shop/tax.py": swap("def tax(net)", "RATE = 7\n\ndef tax(net)")},
)

# ---- 2. known by the last part of a name ------------------------------------------------------
change(
    "an_error_class_that_registers_heirs",
    "A new error class takes the code of another in a table of the base.",
    {
        "shop/errors.py": code("""
        CODES = {}

        class ShopError(Exception):
            rate = 20

            def __init_subclass__(cls):
                CODES["tax"] = cls

        class TaxError(ShopError):
            pass
        """),
        "shop/tax.py": tax('CODES["tax"].rate', "from shop.errors import CODES\n"),
    },
    {
        "shop/errors.py": swap(
            "class TaxError(ShopError):\n    pass\n",
            "class TaxError(ShopError):\n    pass\n\nclass NewError(ShopError):\n    rate = 7\n",
        )
    },
)
change(
    "a_route_by_a_decorator_called_patch",
    "A new handler is put into the routes by `@router.patch`.",
    {
        "shop/router.py": code("""
        ROUTES = []

        def patch(path):
            def add(function):
                ROUTES.append(path)
                return function
            return add
        """),
        "shop/views.py": 'from shop import router\n\n@router.patch("/a")\ndef a():\n    return 1\n',
        "shop/tax.py": tax(
            "20 * len(ROUTES)", "from shop import views\nfrom shop.router import ROUTES\n"
        ),
    },
    {
        "shop/views.py": 'from shop import router\n\n@router.patch("/a")\ndef a():\n    return 1\n\n@router.patch("/b")\ndef b():\n    return 1\n'
    },
)
change(
    "a_setting_by_a_method_called_set",
    "A statement at import sets another value by `settings.set(...)`.",
    {
        "shop/settings.py": "_ALL = {}\n\ndef set(name, value):\n    _ALL[name] = value\n\ndef find(name):\n    return _ALL[name]\n",
        "shop/defaults.py": 'from shop import settings\n\nsettings.set("vat", 20)\n',
        "shop/tax.py": tax('settings.find("vat")', "from shop import defaults, settings\n"),
    },
    {"shop/defaults.py": 'from shop import settings\n\nsettings.set("vat", 7)\n'},
)
change(
    "a_metric_called_counter",
    "A new metric of a class called Counter enters itself in a table.",
    {
        "shop/metrics.py": code("""
        ALL = []

        class Counter:
            def __init__(self, name):
                ALL.append(name)
        """),
        "shop/orders.py": 'from shop.metrics import Counter\n\nORDERS = Counter("orders")\n',
        "shop/tax.py": tax(
            "20 * len(ALL)", "from shop import orders\nfrom shop.metrics import ALL\n"
        ),
    },
    {
        "shop/orders.py": swap(
            'Counter("orders")\n', 'Counter("orders")\nTAXES = Counter("taxes")\n'
        )
    },
)

# ---- 3. submodule attributes ---------------------------------------------------------------
change(
    "an_unused_import_gave_a_submodule",
    "An unused import is removed, which had made a submodule an attribute.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/text.py": "import shop.rates\n\ndef title(text):\n    return text.title()\n",
        "shop/tax.py": "import shop\nimport shop.text\n" + tax("shop.rates.RATE"),
    },
    {"shop/text.py": "def title(text):\n    return text.title()\n"},
)
change(
    "an_unused_import_of_the_standard_library",
    "The same of a submodule of the standard library.",
    {
        "shop/text.py": "import wsgiref.headers\n\ndef title(text):\n    return text.title()\n",
        "shop/tax.py": "import wsgiref\nimport shop.text\n" + tax("(20 if wsgiref.headers else 7)"),
    },
    {"shop/text.py": "def title(text):\n    return text.title()\n"},
)

# ---- 4. files as things -----------------------------------------------------------------------
change(
    "plugins_found_by_glob",
    "A new module lies in a folder of which the modules are counted.",
    {
        "shop/plugins/__init__.py": "",
        "shop/plugins/vat.py": "RATE = 20\n",
        "shop/tax.py": tax(
            '20 * len(list(Path(__file__).parent.joinpath("plugins").glob("[a-z]*.py")))',
            "from pathlib import Path\n",
        ),
    },
    {"shop/plugins/duty.py": "RATE = 7\n"},
)
change(
    "a_check_of_all_sources",
    "A test looks for print( in the text of all modules.",
    {
        "tests/test_tax.py": code("""
        from pathlib import Path

        def test_tax():
            for path in Path("shop").glob("*.py"):
                assert "print(" not in path.read_text()
        """)
    },
    {"shop/text.py": "def title(text):\n    print(text)\n    return text.title()\n"},
)
change(
    "a_data_file_by_its_existence",
    "A data file of a computed name is gone, whose existence matters.",
    {
        "shop/fr.txt": "x\n",
        "shop/tax.py": tax(
            '(20 if (HERE / f"{COUNTRY}.txt").exists() else 7)',
            "from pathlib import Path\n\nHERE = Path(__file__).parent\nCOUNTRY = 'fr'\n",
        ),
    },
    {"shop/fr.txt": None},
)
change(
    "a_data_file_by_its_size",
    "Only the size of a data file of a computed name is asked for.",
    {
        "shop/fr.txt": "x" * 20,
        "shop/tax.py": tax(
            '(HERE / f"{COUNTRY}.txt").stat().st_size',
            "from pathlib import Path\n\nHERE = Path(__file__).parent\nCOUNTRY = 'fr'\n",
        ),
    },
    {"shop/fr.txt": "x" * 7},
)
change(
    "tracked_files_by_git",
    "A test asks git for the tracked files.",
    {
        "tests/test_tax.py": code("""
        import subprocess

        def test_tax():
            found = subprocess.run(["git", "ls-files", "--eol"], capture_output=True, text=True, check=True)
            assert "/crlf" not in found.stdout
        """)
    },
    {"shop/notes.txt": b"a\r\nb\r\n"},
)
change(
    "a_script_is_no_more_executable",
    "A script loses its executable bit.",
    {
        "bin/go": "#!/bin/sh\n",
        "tests/test_tax.py": code("""
        import os

        def test_tax():
            assert all(os.access(f"bin/{name}", os.X_OK) for name in ("go",))
        """),
    },
    {},
    touch=lambda repo: (repo.root / "bin/go").chmod(0o644),
    ready=lambda repo: (repo.root / "bin/go").chmod(0o755),
)
change(
    "settings_in_pyproject",
    "Code reads its own table in pyproject.toml when it is imported.",
    {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n\n[tool.shop]\nrate = 20\n',
        "shop/tax.py": tax(
            "RATE",
            "import tomllib\nfrom pathlib import Path\n\nRATE = tomllib.loads((Path(__file__).parent.parent / 'pyproject.toml').read_text())['tool']['shop']['rate']\n",
        ),
    },
    {"pyproject.toml": swap("rate = 20", "rate = 7")},
)

# ---- 5. functions kept at import, then refused -------------------------------------------------
