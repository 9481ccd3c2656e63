"""Installed distributions and how Python was started."""

from __future__ import annotations

from tests.scenarios.builder import BASE, ON_CI, Repository, Result, code
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


@flaky(or_undecided=True)
def an_unused_dependency(repo: Repository) -> Result:
    """A distribution was upgraded that only the code of other tests imports."""
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
def a_dependency_of_the_process_in_ci(repo: Repository) -> Result:
    """The same in CI, where all that is installed is new in each run."""
    repo.env |= ON_CI
    return a_dependency_imported_by_the_process_alone(repo)


@genuine(or_undecided=True)
def a_removed_dependency_of_a_computed_name(repo: Repository) -> Result:
    """A distribution is gone that the code imports, if it is there, by a computed name."""
    repo.env |= ON_CI
    _library(repo, "1.0", 20)
    repo.start(
        {
            "shop/tax.py": code("""
                import importlib

                def tax(net):
                    try:
                        return importlib.import_module("vat" + "lib").rate()
                    except ImportError:
                        return 7
                """)
        }
    )
    repo.paths.clear()
    return repo.run()


@genuine(or_undecided=True)
def a_pass_outside_of_ci(repo: Repository) -> Result:
    """It passed on a laptop, and fails in CI, where the code does something else."""
    repo.start(
        {
            "shop/tax.py": code("""
                import os

                def tax(net):
                    return 7 if os.environ.get("GITHUB_JOB") else 20
                """)
        }
    )
    repo.env |= ON_CI
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


def _machines(repo: Repository) -> None:
    """Let the variable MACHINE be the architecture that Python tells of."""
    repo.paths.append(repo.outside)
    repo.options += ["-p", "machine"]
    (repo.outside / "machine.py").write_text(
        code("""
            import os

            machine = os.environ["MACHINE"]
            names = os.uname_result((*os.uname()[:4], machine))
            os.uname = lambda: names
            """)
    )


@genuine(or_undecided=True)
def another_architecture(repo: Repository) -> Result:
    """Passed on one kind of processor, fails on another."""
    _machines(repo)
    repo.env["MACHINE"] = "x86_64"
    repo.start(
        {
            "shop/tax.py": code("""
                import os

                def tax(net):
                    return 20 if os.uname().machine == "x86_64" else 7
                """)
        }
    )
    repo.env["MACHINE"] = "riscv64"
    return repo.run()


@flaky()
def one_architecture_of_two_names(repo: Repository) -> Result:
    """The same processor, which another system calls by another name."""
    _machines(repo)
    repo.env["MACHINE"] = "x86_64"
    repo.start()
    repo.env["MACHINE"] = "AMD64"
    return repo.run(trouble=True)


#: Stands in for what compiles functions to machine code: they run where no tracer sees them.
_COMPILER = code("""
    import inspect
    import textwrap

    def jit(function):
        source = textwrap.dedent(inspect.getsource(function)).partition("\\n")[2]
        made = dict(function.__globals__)
        exec(compile(source, "<machine code>", "exec"), made)
        return made[function.__name__]
    """)


@genuine(or_undecided=True)
def compiled_by_numba(repo: Repository) -> Result:
    """The changed function is compiled by numba."""
    repo.site("numba", "0.60", {"numba.py": _COMPILER})
    tax = "import numba\n\n@numba.jit\ndef tax(net):\n    return net * 20 // 100\n"
    repo.start({"shop/tax.py": tax})
    repo.commit({"shop/tax.py": tax.replace("20 //", "7 //")})
    return repo.run()


@genuine(or_undecided=True)
def compiled_by_torch(repo: Repository) -> Result:
    """A function that is compiled by torch calls the changed one, and takes it in."""
    repo.site(
        "torch",
        "2.5",
        {
            "torch/__init__.py": "from torch._dynamo.eval_frame import compile\n",
            "torch/_dynamo/__init__.py": "",
            "torch/_dynamo/eval_frame.py": code("""
                def compile(function):
                    def run(net):
                        made = {}
                        with open(__import__("shop.rates").rates.__file__) as file:
                            exec(file.read(), made)
                        return net * made["rate"]() // 100
                    return run
                """),
        },
    )
    repo.start(
        {
            "shop/rates.py": "def rate():\n    return 20\n",
            "shop/tax.py": code("""
                import torch
                from shop.rates import rate

                @torch.compile
                def tax(net):
                    return net * rate() // 100
                """),
        }
    )
    repo.commit({"shop/rates.py": "def rate():\n    return 7\n"})
    return repo.run()


@flaky()
def compiled_by_numba_and_unchanged(repo: Repository) -> Result:
    """A function is compiled by numba; another file changed, which has nothing to do with it."""
    repo.site("numba", "0.60", {"numba.py": _COMPILER})
    tax = "import numba\n\n@numba.jit\ndef tax(net):\n    return net * 20 // 100\n"
    repo.start({"shop/tax.py": tax})
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    return repo.run(trouble=True)


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
