"""Genuine failures: new, deleted and renamed files, and bugs older than the last commit."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import Repository, Result, code, swap
from tests.scenarios.registry import changes, genuine

_change = partial(changes, topic="edits_to_files")

_change(
    "a_new_file_with_the_bug",
    "The new code is in a new file.",
    {},
    {
        "shop/rates.py": "def rate():\n    return 7\n",
        "shop/tax.py": code("""
            from shop.rates import rate

            def tax(net):
                return net * rate() // 100
            """),
    },
)
_change(
    "a_new_file_shadows_a_module",
    "A new module hides the one that was imported so far.",
    {
        "lib/rates.py": "RATE = 20\n",
        "pyproject.toml": code("""
            [tool.pytest.ini_options]
            pythonpath = [".", "lib"]
            """),
        "shop/tax.py": code("""
            from rates import RATE

            def tax(net):
                return net * RATE // 100
            """),
    },
    {
        "rates.py": "RATE = 7\n",
    },
    or_undecided=True,
)
_change(
    "a_new_submodule_is_discovered",
    "A new plug-in file is found by looking into the folder.",
    {
        "shop/rules/__init__.py": "",
        "shop/rules/a.py": "RATE = 20\n",
        "shop/tax.py": code("""
        import importlib
        import pkgutil
        import shop.rules

        def tax(net):
            found = [
                importlib.import_module(f"shop.rules.{module.name}").RATE
                for module in pkgutil.iter_modules(shop.rules.__path__)
            ]
            return net * sum(found) // 100
        """),
    },
    {
        "shop/rules/b.py": "RATE = 7\n",
    },
    or_undecided=True,
)
_change(
    "a_deleted_file",
    "A module that the code uses is deleted.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            def tax(net):
                from shop.rates import RATE
                return net * RATE // 100
            """),
    },
    {
        "shop/rates.py": None,
    },
)
_change(
    "a_renamed_file",
    "A module is renamed, and one importer forgotten.",
    {
        "shop/rates.py": "RATE = 20\n",
        "shop/tax.py": code("""
            def tax(net):
                from shop.rates import RATE
                return net * RATE // 100
            """),
    },
    {
        "shop/rates.py": None,
        "shop/vat_rates.py": "RATE = 20\n",
    },
)
_change(
    "a_renamed_file_with_an_edit",
    "A module is renamed and edited in one commit.",
    {
        "shop/rates.py": code("""
            def rate():
                return 20

            def name():
                return 'vat'
            """),
        "shop/tax.py": code("""
            from shop.rates import rate

            def tax(net):
                return net * rate() // 100
            """),
    },
    {
        "shop/rates.py": None,
        "shop/vat_rates.py": code("""
            def rate():
                return 7

            def name():
                return 'vat'
            """),
        "shop/tax.py": swap("from shop.rates import rate", "from shop.vat_rates import rate"),
    },
)
_change(
    "code_of_a_string",
    "The changed file is read and run by exec.",
    {
        "shop/rules.txt.py": "RATE = 20\n",
        "shop/tax.py": code("""
        from pathlib import Path

        def tax(net):
            names = {}
            exec((Path(__file__).parent / "rules.txt.py").read_text(), names)
            return net * names["RATE"] // 100
        """),
    },
    {
        "shop/rules.txt.py": "RATE = 7\n",
    },
    or_undecided=True,
)
_change(
    "a_file_that_is_not_utf8",
    "The changed file is written in another encoding.",
    {
        "shop/tax.py": code("""
            # coding: latin-1
            # für
            def tax(net):
                return net // 5
            """).encode("latin-1"),
    },
    {
        "shop/tax.py": code("""
            # coding: latin-1
            # für
            def tax(net):
                return net // 4
            """).encode("latin-1"),
    },
)


@genuine()
def a_bug_of_three_commits_ago(repo: Repository) -> Result:
    """The bug is older than the last commit: two harmless commits came before the next run."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    repo.commit({"README.md": "a shop\n"})
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    return repo.run()


@genuine()
def a_bug_that_stays(repo: Repository) -> Result:
    """The failure was there in the run before already, and nothing was fixed since."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    repo.fails()
    repo.commit({"README.md": "a shop\n"})
    return repo.run()


@genuine()
def a_bug_seen_twice_on_one_state(repo: Repository) -> Result:
    """The failing run is repeated without any change."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    repo.fails()
    return repo.run()


@genuine()
def a_bug_that_comes_back(repo: Repository) -> Result:
    """Broken, fixed, and broken again in another way."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    repo.fails()
    repo.edit("shop/tax.py", "net + RATE", "net * RATE")
    repo.commit()
    repo.passes()
    repo.edit("shop/tax.py", "RATE // 100", "RATE // 10")
    repo.commit()
    return repo.run()


@genuine()
def a_bug_only_seen_by_a_partial_run(repo: Repository) -> Result:
    """Between the pass and the failure other tests were run alone, and passed."""
    repo.start()
    repo.edit("shop/tax.py", "net * RATE", "net + RATE")
    repo.commit()
    repo.passes("tests/test_net.py")
    repo.commit({"README.md": "a shop\n"})
    return repo.run()
