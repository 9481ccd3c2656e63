"""What the history tells: retries, reruns, seeds, systemic failures, broken environments."""

from __future__ import annotations

from tests.scenarios.builder import BASE, Repository, Result, code
from tests.scenarios.registry import flaky, genuine, unknowable

TAX = BASE["shop/tax.py"]
OTHER = TAX.replace("net + tax(net)", "tax(net) + net")
NET = BASE["shop/net.py"]
SAFER = NET.replace('return "ok"', 'result = "o"\n    return result + "k"')
#: Fails the first COUNTDOWN times, then passes.
COUNTING = code("""
    import os
    from pathlib import Path

    def fetch():
        counter = Path(os.environ["COUNTER"])
        before = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(before + 1))
        if before < int(os.environ.get("COUNTDOWN", "0")):
            raise ConnectionError("connection reset by peer")
        return "ok"
    """)


@flaky(says="same state")
def same_state(repo: Repository) -> Result:
    """Nothing changed at all since it passed."""
    repo.start()
    return repo.run(trouble=True)


@flaky()
def same_state_after_a_failure(repo: Repository) -> Result:
    """A change to its code failed first, then passed on the same state, and fails again."""
    repo.start()
    repo.commit({"shop/net.py": SAFER})
    repo.fails(trouble=True)
    repo.passes()
    return repo.run(trouble=True)


@flaky()
def same_commit_passed_though_it_touches_the_function(repo: Repository) -> Result:
    """The commit touches the function, but this very commit passed before."""
    repo.start()
    repo.commit({"shop/net.py": SAFER})
    repo.passes()
    return repo.run(trouble=True)


@flaky(says="introduced here?")
def flakiness_brought_in_by_the_commit(repo: Repository) -> Result:
    """The commit brings code that fails every other time; a retry of it passed."""
    repo.start({"shop/net.py": 'def fetch():\n    return "ok"\n'})
    repo.commit({"shop/net.py": COUNTING})
    repo.env["COUNTDOWN"] = "1"
    repo.fails()
    repo.passes()
    (repo.outside / "counter").unlink()
    return repo.run()


@flaky()
def passed_in_a_part_of_the_suite(repo: Repository) -> Result:
    """The same state passed when the test was run alone."""
    repo.commit(BASE)
    repo.passes("tests/test_net.py")
    return repo.run(trouble=True)


@flaky()
def a_rerun_passes(repo: Repository) -> Result:
    """Rerun within the same run, the test passes; there is no history."""
    repo.options += ["-p", "rerunfailures", "--reruns=1"]
    repo.env["COUNTDOWN"] = "1"
    repo.commit({**BASE, "shop/net.py": COUNTING})
    return repo.run()


@genuine()
def reruns_agree(repo: Repository) -> Result:
    """All reruns fail, because of the commit."""
    repo.options += ["-p", "rerunfailures", "--reruns=2"]
    repo.start()
    repo.commit({"shop/tax.py": TAX.replace("net * RATE", "net + RATE")})
    return repo.run()


@flaky()
def it_passed_long_ago_and_failed_since(repo: Repository) -> Result:
    """It failed once on unrelated work, passed, and fails again on more unrelated work."""
    repo.start()
    repo.commit({"README.md": "a shop\n"})
    repo.fails(trouble=True)
    repo.passes()
    repo.commit({"README.md": "a large shop\n"})
    return repo.run(trouble=True)


@unknowable("test_net.py::test_net", right=("undecided", "genuine"), wrong=("flaky",))
def never_passed(repo: Repository) -> Result:
    """The very first run of the test fails."""
    repo.commit(BASE)
    return repo.run(trouble=True)


@unknowable("test_net.py::test_net", right=("undecided", "genuine"), wrong=("flaky",))
def never_passed_in_two_runs(repo: Repository) -> Result:
    """It has failed in every run, with unrelated work between them."""
    repo.commit(BASE)
    repo.fails(trouble=True)
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@unknowable("test_net.py::test_net", right=("undecided", "genuine"), wrong=("flaky",))
def only_skipped_before(repo: Repository) -> Result:
    """So far the test was skipped, never passed."""
    test = BASE["tests/test_net.py"].replace(
        "def test", "@pytest.mark.skipif('SKIP' in os.environ, reason='')\ndef test"
    )
    repo.commit(
        {
            **BASE,
            "tests/test_net.py": code("""
        import os
        import pytest
        """)
            + test,
        }
    )
    repo.passes(env={"SKIP": "1"})
    return repo.run(trouble=True)


@unknowable("test_net.py::test_net", right=("undecided", "genuine"), wrong=("flaky",))
def a_pass_under_the_debugger(repo: Repository) -> Result:
    """The only pass was in a debugging session."""
    repo.commit(BASE)
    repo.passes("--pdb")
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@unknowable("test_net.py::test_net", right=("undecided",), wrong=("genuine",))
def broken_environment(repo: Repository) -> Result:
    """Three times in a row the same failure, though nothing that it touches changed."""
    repo.start()
    repo.commit({"README.md": "a shop\n"})
    repo.fails(trouble=True)
    repo.fails(trouble=True)
    return repo.run(trouble=True)


@flaky()
def a_pass_resets_the_count(repo: Repository) -> Result:
    """Two failures, a pass, and a failure: the environment is not broken."""
    repo.start()
    repo.commit({"README.md": "a shop\n"})
    repo.fails(trouble=True)
    repo.fails(trouble=True)
    repo.passes()
    repo.commit({"README.md": "a large shop\n"})
    return repo.run(trouble=True)


MANY = code("""
    import pytest
    from shop.net import fetch
    from shop.tax import tax

    @pytest.mark.parametrize('n', range(12))
    """)


@unknowable("test_many.py::test_many[3]", right=("undecided",), wrong=("genuine",))
def an_outage(repo: Repository) -> Result:
    """Twelve tests fail at once, because a service is down; only a text changed."""
    repo.start(
        {
            "tests/test_many.py": MANY
            + code("""
        def test_many(n):
            assert fetch() == 'ok'
        """)
        }
    )
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@genuine("test_many.py::test_many[3]", or_undecided=True)
def a_bug_that_breaks_everything(repo: Repository) -> Result:
    """Twelve tests fail at once, because the commit broke what all of them use."""
    repo.start(
        {
            "tests/test_many.py": MANY
            + code("""
        def test_many(n):
            assert tax(100) == 20
        """)
        }
    )
    repo.commit({"shop/tax.py": TAX.replace("net * RATE", "net + RATE")})
    return repo.run()


@unknowable("test_net.py::test_net", right=("undecided", "flaky"), wrong=("genuine",))
def an_outage_is_not_learned_from(repo: Repository) -> Result:
    """After an outage one test fails alone."""
    repo.start(
        {
            "tests/test_many.py": MANY
            + code("""
        def test_many(n):
            assert fetch() == 'ok'
        """)
        }
    )
    repo.commit({"README.md": "a shop\n"})
    repo.fails(trouble=True)
    return repo.run("tests/test_net.py", trouble=True)


PROPERTY = code("""
    import os
    from hypothesis import given, settings, strategies as st

    @settings(database=None, derandomize=True, max_examples=5)
    @given(st.integers(0, 3))
    def test_net(n):
        assert n < int(os.environ.get("LIMIT", "9"))
    """)


@unknowable("test_net.py::test_net", right=("undecided",), wrong=("flaky", "genuine"))
def a_new_falsifying_example(repo: Repository) -> Result:
    """A property test finds an example on a state that passed: perhaps the bug was always there."""
    repo.options += ["-p", "hypothesispytest"]
    repo.start({"tests/test_net.py": PROPERTY})
    return repo.run(env={"LIMIT": "2"})


@unknowable("test_net.py::test_net", right=("undecided",), wrong=("flaky", "genuine"))
def a_new_falsifying_example_after_unrelated_work(repo: Repository) -> Result:
    """A property test finds an example, and only unrelated work was done."""
    repo.options += ["-p", "hypothesispytest"]
    repo.start({"tests/test_net.py": PROPERTY})
    repo.commit({"README.md": "a shop\n"})
    return repo.run(env={"LIMIT": "2"})


@genuine("test_net.py::test_net")
def a_property_broken_by_the_commit(repo: Repository) -> Result:
    """A property test fails because the commit changed the code under it."""
    repo.options += ["-p", "hypothesispytest"]
    test = PROPERTY.replace('int(os.environ.get("LIMIT", "9"))', "tax(100)").replace(
        "import os", "from shop.tax import tax"
    )
    repo.start({"tests/test_net.py": test})
    repo.commit({"shop/tax.py": TAX.replace("RATE = 20", "RATE = 1")})
    return repo.run()


SEEDED = code("""
    import random

    def test_net(request):
        assert random.random() < 1 and request.config.option.randomly_seed != 2
    """)


@unknowable("test_net.py::test_net", right=("undecided",), wrong=("flaky", "genuine"))
def a_new_random_seed(repo: Repository) -> Result:
    """pytest-randomly seeds anew: the seed may be the cause, on a state that passed."""
    repo.options += ["-p", "randomly"]
    repo.commit({**BASE, "tests/test_net.py": SEEDED})
    repo.passes("--randomly-seed=1")
    return repo.run("--randomly-seed=2")


@flaky()
def the_same_random_seed(repo: Repository) -> Result:
    """The same seed passed on the same state."""
    repo.options += ["-p", "randomly", "--randomly-seed=1"]
    repo.start()
    return repo.run(trouble=True)
