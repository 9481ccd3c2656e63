"""pytest's own configuration, options, plugins, and ways to run it."""

from __future__ import annotations

from tests.scenarios.builder import BASE, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine

TAX = BASE["shop/tax.py"]
BROKEN = TAX.replace("net * RATE", "net + RATE")
WARNS = code("""
    import warnings

    def tax(net):
        warnings.warn('old', DeprecationWarning)
        return 20
    """)


@genuine(or_undecided=True)
def a_changed_ini_file(repo: Repository) -> Result:
    """Warnings became errors in pytest's settings."""
    repo.start({"shop/tax.py": WARNS})
    repo.commit({"pyproject.toml": BASE["pyproject.toml"] + 'filterwarnings = ["error"]\n'})
    return repo.run()


@genuine(or_undecided=True)
def a_changed_command_line(repo: Repository) -> Result:
    """Warnings became errors on the command line; no file changed."""
    repo.start({"shop/tax.py": WARNS})
    return repo.run("-W", "error")


@genuine(or_undecided=True)
def an_overridden_setting(repo: Repository) -> Result:
    """A setting is overridden on the command line."""
    repo.start({"shop/tax.py": WARNS})
    return repo.run("-o", "filterwarnings=error")


@genuine(or_undecided=True)
def pytest_addopts(repo: Repository) -> Result:
    """Warnings became errors by the variable PYTEST_ADDOPTS."""
    repo.start({"shop/tax.py": WARNS})
    return repo.run(env={"PYTEST_ADDOPTS": "-W error"})


@genuine(or_undecided=True)
def a_custom_option(repo: Repository) -> Result:
    """An option of the project's own conftest.py decides what the test does."""
    repo.start(
        {
            "conftest.py": code("""
                def pytest_addoption(parser):
                    parser.addoption('--rate', default='20')
                """),
            "tests/test_tax.py": code("""
                def test_tax(pytestconfig):
                    assert pytestconfig.getoption('--rate') == '20'
                """),
        }
    )
    return repo.run("--rate=7")


@genuine(or_undecided=True)
def a_new_ini_file_takes_over(repo: Repository) -> Result:
    """A new pytest.ini wins over pyproject.toml."""
    repo.start({"shop/tax.py": WARNS})
    repo.commit(
        {
            "pytest.ini": code("""
        [pytest]
        pythonpath = .
        filterwarnings = error
        """)
        }
    )
    return repo.run()


@genuine(or_undecided=True)
def a_plugin_is_switched_on(repo: Repository) -> Result:
    """A plugin module of the project is loaded by -p now."""
    repo.start(
        {
            "plug.py": code("""
                import shop.tax

                def pytest_runtest_setup(item):
                    shop.tax.RATE = 7
                """),
        }
    )
    return repo.run("-p", "plug")


@genuine(or_undecided=True)  # Python 3.11 can only watch what is imported later
def an_early_plugin(repo: Repository) -> Result:
    """A plugin module of the project differs, which is imported before anybody watches."""
    repo.options += ["-p", "plug"]
    repo.start(
        {
            "plug.py": "import pytest\nNET = 100\n\n@pytest.fixture\ndef net():\n    return NET\n",
            "tests/test_tax.py": (
                "from shop.tax import tax\n\ndef test_tax(net):\n    assert tax(net) == 20\n"
            ),
        }
    )
    repo.commit({"plug.py": swap("NET = 100", "NET = 90")})
    return repo.run()


@flaky()
def other_verbosity(repo: Repository) -> Result:
    """It passed quietly, and fails with much talk: no setting that matters."""
    repo.commit(BASE)
    repo.passes("-q")
    return repo.run("-vv", "--durations=3", "--tb=short", trouble=True)


@flaky()
def another_selection(repo: Repository) -> Result:
    """It passed among all tests, and fails when selected by -k."""
    repo.start()
    return repo.run("-k", "net", trouble=True)


@flaky()
def stopped_at_the_first_failure(repo: Repository) -> Result:
    """It passed in a whole run, and fails in one with -x."""
    repo.start()
    return repo.run("-x", trouble=True)


@flaky()
def in_parallel(repo: Repository) -> Result:
    """Two workers; only a text changed."""
    repo.options += ["-p", "xdist", "-n", "2"]
    repo.start()
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@genuine()
def a_bug_in_parallel(repo: Repository) -> Result:
    """Two workers, and a changed line."""
    repo.options += ["-p", "xdist", "-n", "2"]
    repo.start()
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()
