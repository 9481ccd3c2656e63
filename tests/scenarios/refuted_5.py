# ruff: noqa: E501 - the files of a story are easier to read in one line
"""Genuine failures that were called flaky when somebody looked for such: the fifth part."""

from __future__ import annotations

from tests.scenarios.adversarial import change
from tests.scenarios.builder import Repository, Result, Swap, swap
from tests.scenarios.registry import flaky, genuine

change(
    "a_docstring_in_a_schema",
    "pydantic puts the docstring of a model into its schema.",
    {
        "shop/row.py": 'from pydantic import BaseModel\n\n\nclass Row(BaseModel):\n    """One row."""\n\n    rate: int\n',
        "tests/test_tax.py": "from shop.row import Row\n\n\ndef test_tax():\n    assert Row.model_json_schema()['description'] == 'One row.'\n",
    },
    {"shop/row.py": Swap(old="One row", new="A row")},
)
change(
    "the_text_of_a_page_with_examples",
    "A page with examples expects something else now: its own file changed.",
    {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "--doctest-glob=*.rst"\n',
        "README.rst": "Shop\n\n>>> from shop.tax import tax\n>>> tax(100)\n20\n",
    },
    {"README.rst": Swap(old="\n20\n", new="\n21\n")},
    "README.rst::README.rst",
)


@genuine(or_undecided=True)
def a_signature_that_is_shown(repo: Repository) -> Result:
    """A parameter has another name, and the test shows the signature as text."""
    show = "import inspect\nfrom shop.tax import tax\n\n\ndef test_tax():\n    assert str(inspect.signature(tax)) == '(net)'\n"
    repo.start({"tests/test_tax.py": show})
    repo.commit({"shop/tax.py": "RATE = 20\n\ndef tax(sum):\n    return sum * RATE // 100\n"})
    return repo.run()


_SETTINGS = "import os\n\n\ndef test_tax():\n    assert os.environ.get('SHOP_RATE', '20') == '20'\n"


@genuine(or_undecided=True, says="$SHOP_RATE")
def a_variable_and_an_unrelated_commit(repo: Repository) -> Result:
    """A variable that the test reads has another value, and a note was committed since."""
    repo.start({"tests/test_tax.py": _SETTINGS})
    repo.commit({"notes.txt": "x"})
    return repo.run(env={"SHOP_RATE": "7"})


@flaky()
def a_variable_and_a_pass_without_it(repo: Repository) -> Result:
    """The nearest pass had another value of a variable, an older one the same."""
    repo.start(
        {
            "shop/text.py": "import os\n\ndef title(text):\n    return text + os.environ.get('SHOP_TITLE', '')\n"
        }
    )
    repo.commit({"notes.txt": "x"})
    repo.passes(env={"SHOP_TITLE": "7"})
    repo.commit({"notes.txt": "y"})
    return repo.run(trouble=True)


_FILE = "def test_tax():\n    with open('rates.txt') as file:\n        assert file.read() == '20'\n"


@genuine(or_undecided=True, says="pytest was started in another folder")
def a_file_of_the_folder_that_pytest_was_started_in(repo: Repository) -> Result:
    """A test reads a file by a relative path, and pytest was started in a folder below."""
    repo.start({"rates.txt": "20", "tests/test_tax.py": _FILE})
    return repo.run(cwd=repo.root / "tests")


@genuine(or_undecided=True, says="pytest was started in another folder")
def a_file_of_that_folder_and_an_unrelated_commit(repo: Repository) -> Result:
    """The same, and a note was committed since."""
    repo.start({"rates.txt": "20", "tests/test_tax.py": _FILE})
    repo.commit({"notes.txt": "x"})
    return repo.run(cwd=repo.root / "tests")


@genuine(or_undecided=True, says="modules are sought in other folders (sys.path)")
def a_module_that_is_found_by_pythonpath(repo: Repository) -> Result:
    """A module lies in a folder of PYTHONPATH, which was forgotten in the second run."""
    late = "def test_tax():\n    from rates import RATE\n    assert RATE == 20\n"
    repo.paths.append(repo.root / "lib")
    repo.start({"lib/rates.py": "RATE = 20\n", "tests/test_tax.py": late})
    repo.paths.clear()
    return repo.run()


@genuine(or_undecided=True)
def an_entry_point_that_leads_elsewhere(repo: Repository) -> Result:
    """What the project offers as a plug-in is another thing, as pyproject.toml says."""

    def install(thing: str) -> None:
        repo.site("shop", "1.0", {"shopinfo.py": ""})
        info = repo.outside / "site/shop-1.0.dist-info"
        (info / "entry_points.txt").write_text(f"[rates]\nvat = shop.{thing}\n")

    plugins = '[project.entry-points.rates]\nvat = "shop.full:RATE"\n'
    load = "from importlib.metadata import entry_points\n\n\ndef test_tax():\n    (found,) = entry_points(group='rates')\n    assert found.load() == 20\n"
    install("full:RATE")
    start = (
        '[tool.pytest.ini_options]\npythonpath = ["."]\n[project]\nname = "shop"\nversion = "1.0"\n'
    )
    repo.start(
        {
            "pyproject.toml": start + plugins,
            "shop/full.py": "RATE = 20\n",
            "shop/half.py": "RATE = 10\n",
            "tests/test_tax.py": load,
        }
    )
    repo.commit({"pyproject.toml": swap("shop.full:RATE", "shop.half:RATE")})
    install("half:RATE")
    return repo.run()


_SIGNALS = "from importlib import import_module\n\nreceivers = []\n\n\ndef setup():\n    import_module('shop.apps').ready()\n\n\ndef save(row):\n    for one in receivers:\n        row = one(row)\n    return row\n"


@genuine(or_undecided=True)
def a_receiver_that_came_with_an_app(repo: Repository) -> Result:
    """A framework's plugin loads an app, which imports a receiver; the framework calls it later."""
    plugin = "import sigweb\n\n\ndef pytest_configure():\n    sigweb.setup()\n"
    repo.site("sigweb", "1.0", {"sigweb.py": _SIGNALS, "pytest_sigweb.py": plugin})
    repo.options += ["-p", "pytest_sigweb"]
    repo.start(
        {
            "shop/apps.py": "def ready():\n    from shop import signals\n",
            "shop/signals.py": "import sigweb\n\n\ndef clean(row):\n    return row.strip()\n\n\nsigweb.receivers.append(clean)\n",
            "tests/test_tax.py": "import sigweb\n\n\ndef test_tax():\n    assert sigweb.save(' tax ') == 'tax'\n",
        }
    )
    repo.commit({"shop/signals.py": swap("row.strip()", "row.upper()")})
    return repo.run()


_LOCAL = "import json\nimport pathlib\n\n\ndef test_tax():\n    file = pathlib.Path(__file__).parent.parent / 'local' / 'rates.json'\n    assert json.loads(file.read_text()) == 20\n"


@genuine(or_undecided=True, says="local/rates.json is missing, which git ignores")
def an_ignored_file_that_is_gone(repo: Repository) -> Result:
    """A test reads a file that git ignores, and somebody has cleaned up."""
    repo.start({".gitignore": "/local/\n", "local/rates.json": "20", "tests/test_tax.py": _LOCAL})
    (repo.root / "local/rates.json").unlink()
    return repo.run()


@flaky()
def a_file_elsewhere_that_is_gone(repo: Repository) -> Result:
    """A test misses a file that lies outside of the project, which another process had to write."""
    late = "import os\nimport pathlib\n\n\ndef test_net():\n    place = pathlib.Path(os.environ['TROUBLE'])\n    assert not place.exists() or (place / 'answer').read_text()\n"
    repo.start({"tests/test_net.py": late})
    return repo.run(trouble=True)
