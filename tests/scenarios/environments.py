"""Installed distributions and how Python was started."""

from __future__ import annotations

from tests.scenarios.builder import BASE, Repository, Result, code
from tests.scenarios.registry import flaky, genuine, unknowable


def _library(repo: Repository, version: str, rate: int) -> None:
    repo.site("vatlib", version, {"vatlib.py": f"def rate():\n    return {rate}\n"})


@genuine()
def an_upgraded_dependency(repo: Repository) -> Result:
    """A distribution was upgraded that the test's code calls; no file of the project changed."""
    _library(repo, "1.0", 20)
    repo.start(
        {
            "shop/tax.py": code("""
            import vatlib

            def tax(net):
                return net * vatlib.rate() // 100
            """)
        }
    )
    _library(repo, "1.1", 7)
    return repo.run()


@genuine()
def an_upgraded_dependency_of_a_dependency(repo: Repository) -> Result:
    """The upgraded distribution is used by another one, which the test's code calls."""
    _library(repo, "1.0", 20)
    repo.site(
        "paylib",
        "1.0",
        {
            "paylib.py": code("""
            import vatlib

            def rate():
                return vatlib.rate()
            """)
        },
    )
    info = repo.outside / "site/vatlib-1.0.dist-info"
    assert info.is_dir()
    repo.start(
        {
            "shop/tax.py": code("""
            import paylib

            def tax(net):
                return net * paylib.rate() // 100
            """)
        }
    )
    _library(repo, "1.1", 7)
    return repo.run()


@genuine()
def an_upgraded_constant_of_a_dependency(repo: Repository) -> Result:
    """Of the upgraded distribution nothing is called, only a constant is read."""
    repo.site("vatlib", "1.0", {"vatlib.py": "RATE = 20\n"})
    repo.start(
        {
            "shop/tax.py": code("""
            from vatlib import RATE

            def tax(net):
                return net * RATE // 100
            """)
        }
    )
    repo.site("vatlib", "1.1", {"vatlib.py": "RATE = 7\n"})
    return repo.run()


@genuine()
def a_removed_dependency(repo: Repository) -> Result:
    """A distribution that is optional for the code is not installed any more."""
    _library(repo, "1.0", 20)
    repo.start(
        {
            "shop/tax.py": code("""
                try:
                    from vatlib import rate
                except ImportError:
                    def rate():
                        return 7

                def tax(net):
                    return net * rate() // 100
                """)
        }
    )
    repo.paths.clear()
    return repo.run()


@genuine()
def an_added_dependency(repo: Repository) -> Result:
    """A distribution that is optional for the code came into the environment."""
    repo.start(
        {
            "shop/tax.py": code("""
                try:
                    from vatlib import rate
                except ImportError:
                    def rate():
                        return 20

                def tax(net):
                    return net * rate() // 100
                """)
        }
    )
    _library(repo, "1.0", 7)
    return repo.run()


@flaky()
def an_unused_dependency(repo: Repository) -> Result:
    """A distribution was upgraded that the test's code does not use."""
    _library(repo, "1.0", 20)
    repo.start(
        {
            "shop/tax.py": code("""
            import vatlib

            def tax(net):
                return net * vatlib.rate() // 100
            """)
        }
    )
    _library(repo, "1.1", 20)
    return repo.run(trouble=True)


@genuine(or_undecided=True)
def a_dependency_imported_by_the_process_alone(repo: Repository) -> Result:
    """A distribution that only a pytest plugin loads alters a built-in; the test never names it."""
    repo.site("vatlib", "1.0", {"vatlib.py": "import math\n"})
    repo.options += ["-p", "vatlib"]
    repo.start(
        {
            "tests/test_tax.py": code("""
            import math

            def test_tax():
                assert math.floor(20.9) == 20
            """)
        }
    )
    repo.site(
        "vatlib",
        "1.1",
        {
            "vatlib.py": code("""
        import math
        math.floor = lambda x: 7
        """)
        },
    )
    return repo.run()


@genuine(or_undecided=True)
def an_edited_dependency(repo: Repository) -> Result:
    """Somebody edits an installed module in place: its version stays."""
    _library(repo, "1.0", 20)
    repo.start(
        {
            "shop/tax.py": code("""
            import vatlib

            def tax(net):
                return net * vatlib.rate() // 100
            """)
        }
    )
    (repo.outside / "site/vatlib.py").write_text("def rate():\n    return 7\n")
    return repo.run()


@genuine(or_undecided=True)
def another_optimisation(repo: Repository) -> Result:
    """Passed with -O, which leaves out the assertion of the code; fails without."""
    repo.commit(
        {
            **BASE,
            "shop/tax.py": code("""
        def tax(net):
            assert net < 50
            return 20
        """),
        }
    )
    repo.passes(env={"PYTHONOPTIMIZE": "1"})
    return repo.run()


@genuine(or_undecided=True)
def another_time_zone(repo: Repository) -> Result:
    """Passed in one time zone, fails in another."""
    repo.env["TZ"] = "UTC"
    repo.start(
        {
            "shop/tax.py": code("""
                import time

                def tax(net):
                    return 20 if time.localtime(0).tm_hour == 0 else 7
                """)
        }
    )
    repo.env["TZ"] = "Asia/Tokyo"
    return repo.run()


@genuine(or_undecided=True)
def a_listed_variable(repo: Repository) -> Result:
    """A variable differs that the test says it depends on."""
    repo.env["SHOP_MODE"] = "full"
    repo.start(
        {
            "tests/test_tax.py": code("""
                import os
                import pytest

                @pytest.mark.flakefighters(state_env=['SHOP_MODE'])
                def test_tax():
                    assert os.environ['SHOP_MODE'] == 'full'
                """),
        }
    )
    repo.env["SHOP_MODE"] = "reduced"
    return repo.run()


@unknowable("test_net.py::test_net", right=("undecided", "genuine"), wrong=("flaky",))
def a_pass_of_another_pull_request(repo: Repository) -> Result:
    """It only ever passed in a pull request of somebody else, which was never merged."""
    repo.commit(BASE)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/net.py": "def fetch():\n    return 'ok'\n"})
    actions = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop"}
    repo.passes(env={**actions, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_HEAD_REF": "topic"})
    repo.git("checkout", "-q", "main")
    return repo.run(env={**actions, "GITHUB_REF": "refs/heads/main"}, trouble=True)
