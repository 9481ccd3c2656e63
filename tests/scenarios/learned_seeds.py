"""What only the history can settle: a new random seed, marks, the order of tests, time zones."""

from __future__ import annotations

from typing import Final

from tests.scenarios.builder import BASE, Repository, Result, code, swap
from tests.scenarios.learned import ELSEWHERE, teach
from tests.scenarios.registry import flaky, genuine, unknowable

# -- a new random seed: the one doubt that the history may settle ------------------------------

_DRAWS: Final = code("""
    import random
    from shop.net import fetch

    def test_net():
        random.random()
        assert fetch() == "ok"
    """)


def _seeded(repo: Repository) -> None:
    """A test that draws at random, and failed by chance with a seed with which it passes."""
    repo.options += ["-p", "randomly"]
    repo.save({**BASE, "tests/test_net.py": _DRAWS})
    repo.passes("--randomly-seed=1")
    teach(repo, "--randomly-seed=1")


@flaky(says="failed alike in 1 earlier run, then flaky")
def a_new_seed_and_a_known_failure(repo: Repository) -> Result:
    """The seed is new, but the failure is one that was proved flaky."""
    _seeded(repo)
    repo.commit(ELSEWHERE)
    return repo.run("--randomly-seed=2", trouble=True)


@flaky(says="failed alike in 1 earlier run, then flaky")
def a_new_seed_on_the_same_state_and_a_known_failure(repo: Repository) -> Result:
    """Nothing changed at all."""
    _seeded(repo)
    return repo.run("--randomly-seed=2", trouble=True)


@unknowable("test_net.py::test_net", wrong=("flaky", "genuine"), says="the random seed is new")
def a_new_seed_and_a_failure_of_another_cause(repo: Repository) -> Result:
    """The test was flaky once, but in another way: the seed may have found a bug."""
    _seeded(repo)
    failing = swap("random.random()", "assert random.random() < 1 and SEED != 2")
    repo.write({"tests/test_net.py": failing})
    repo.write(
        {
            "tests/test_net.py": swap(
                "def test_net", "import os\nSEED = int(os.environ['SEED'])\n\ndef test_net"
            )
        }
    )
    repo.commit()
    repo.passes("--randomly-seed=1", env={"SEED": "1"})
    repo.commit(ELSEWHERE)
    return repo.run("--randomly-seed=2", env={"SEED": "2"})


@genuine("test_net.py::test_net", says="though it failed alike")
def a_new_seed_and_a_bug_that_looks_like_a_known_failure(repo: Repository) -> Result:
    """The commit breaks the test just as it failed by chance before."""
    _seeded(repo)
    repo.commit(
        {"shop/net.py": swap('if os.path.exists(os.environ.get("TROUBLE", "")):', "if fetch:")}
    )
    return repo.run("--randomly-seed=2")


@unknowable("test_net.py::test_net", wrong=("flaky", "genuine"), says="the random seed is new")
def statistics_that_contradict_each_other(repo: Repository) -> Result:
    """The failure was flaky in this test, and a bug in another one."""
    broken = swap('if os.path.exists(os.environ.get("TROUBLE", "")):', "if fetch:")
    mended = swap("if fetch:", 'if os.path.exists(os.environ.get("TROUBLE", "")):')
    pay = "from shop.net import fetch\n\ndef test_pay():\n    assert fetch() == 'ok'\n"
    repo.options += ["-p", "randomly"]
    repo.save({**BASE, "tests/test_net.py": _DRAWS, "tests/test_pay.py": pay})
    repo.passes("--randomly-seed=1")
    teach(repo, "--randomly-seed=1", "tests/test_net.py")
    repo.commit({"shop/net.py": broken})
    repo.fails("--randomly-seed=1", "tests/test_pay.py")
    repo.commit({"shop/net.py": mended})
    repo.passes("--randomly-seed=1")
    repo.commit(ELSEWHERE)
    return repo.run("--randomly-seed=2", "tests/test_net.py", trouble=True)


# -- marks -------------------------------------------------------------------------------------


def _marked(repo: Repository, label: str, target: str = "tests/test_net.py::test_net") -> None:
    repo.options += ["-p", "randomly"]
    repo.save({**BASE, "tests/test_net.py": _DRAWS})
    repo.passes("--randomly-seed=1")
    repo.command("mark", target, label)


@flaky(says="is marked flaky")
def a_new_seed_and_a_mark_that_says_flaky(repo: Repository) -> Result:
    """People know the test, and nothing that changed reaches it."""
    _marked(repo, "flaky")
    repo.commit(ELSEWHERE)
    return repo.run("--randomly-seed=2", trouble=True)


@unknowable("test_net.py::test_net", right=("genuine",), wrong=("flaky",), says="is marked genuine")
def a_new_seed_and_a_mark_that_says_genuine(repo: Repository) -> Result:
    """People say so, and nothing that was seen contradicts them."""
    _marked(repo, "genuine")
    repo.commit(ELSEWHERE)
    return repo.run("--randomly-seed=2", trouble=True)


@genuine("test_net.py::test_net", says="though it is marked flaky")
def a_bug_in_a_test_that_is_marked_flaky(repo: Repository) -> Result:
    """A mark does not overrule a change that was touched."""
    _marked(repo, "flaky")
    repo.commit({"shop/net.py": swap('return "ok"', 'return "no"')})
    return repo.run("--randomly-seed=2")


@genuine(or_undecided=True)
def a_bug_in_doubt_in_a_test_that_is_marked_flaky(repo: Repository) -> Result:
    """Nor does it overrule a doubt that names a change."""
    tax = code("""
        from shop import rates

        def tax(net):
            return getattr(rates, "RA" + "te".upper())
        """)
    repo.start({"shop/tax.py": tax, "shop/rates.py": "RATE = 20\n"})
    repo.command("mark", "tests/test_tax.py::test_tax", "flaky")
    repo.commit({"shop/rates.py": "RATE = 0\n"})
    return repo.run()


# -- order, time zones, many at once -----------------------------------------------------------

_SEEN: Final = code("""
    SEEN = []

    def title(text):
        SEEN.append(text)
        return f"{text.title()} {len(SEEN)}"
    """)
_FIRST, _SECOND = "tests/test_mess.py::test_first", "tests/test_mess.py::test_second"


def _mess(repo: Repository, expected: int, orders: list[tuple[str, str]]) -> None:
    """A test that passes in one order of two, and was seen to fail in the other one."""
    tests = code(f"""
        from shop.text import title

        def test_first():
            title("x")

        def test_second():
            assert title("a b") == "A B {expected}"
        """)
    good, bad = orders
    repo.save({**BASE, "shop/text.py": _SEEN, "tests/test_mess.py": tests})
    repo.passes(*good)
    teach(repo, *good, failing=lambda: repo.fails(*bad))


_VICTIM: Final = (2, [(_FIRST, _SECOND), (_SECOND, _FIRST)])
_BRITTLE: Final = (1, [(_SECOND, _FIRST), (_FIRST, _SECOND)])


@flaky("test_mess.py::test_second")
def a_victim_of_another_test(repo: Repository) -> Result:
    """It fails after a test that leaves something behind, as it was seen to do before."""
    _mess(repo, *_BRITTLE)
    repo.commit({"README": "read me\n"})
    return repo.run(_FIRST, _SECOND)


@flaky("test_mess.py::test_second")
def a_test_that_needs_another_one_before_it(repo: Repository) -> Result:
    """It fails without the test that sets up what it needs."""
    _mess(repo, *_VICTIM)
    repo.commit({"README": "read me\n"})
    return repo.run(_SECOND, _FIRST)


@unknowable(_SECOND, right=("genuine",), wrong=("flaky",), says="though it failed alike")
def a_victim_of_another_test_that_runs_changed_code(repo: Repository) -> Result:
    """It is the order again, but what leaves the mess was changed as well."""
    _mess(repo, *_BRITTLE)
    repo.commit({"shop/text.py": swap("SEEN.append(text)", "SEEN.append(str(text))")})
    return repo.run(_FIRST, _SECOND)


@unknowable("test_zone.py::test_zone", right=("genuine",), wrong=("flaky",), says="the time zone")
def a_test_of_another_time_zone(repo: Repository) -> Result:
    """It fails wherever clocks are ahead, each time: the other zone is the cause, and is named."""
    zone = code("""
        import datetime

        def test_zone():
            assert datetime.datetime.fromtimestamp(0).hour == 0
        """)
    repo.save({**BASE, "tests/test_zone.py": zone})
    repo.passes(env={"TZ": "UTC0"})
    repo.commit({"NOTES": "1\n"})
    repo.run(env={"TZ": "JST-9"})
    repo.passes(env={"TZ": "UTC0"})
    repo.commit(ELSEWHERE)
    return repo.run(env={"TZ": "JST-9"})


@unknowable("test_many.py::test_many[3]", right=("undecided", "flaky"), wrong=("genuine",))
def many_at_once_that_were_flaky_before(repo: Repository) -> Result:
    """A service is down, and all that need it fail, as they did before."""
    many = code("""
        import pytest
        from shop.net import fetch

        @pytest.mark.parametrize("number", range(12))
        def test_many(number):
            assert fetch() == "ok"
        """)
    repo.start({"tests/test_many.py": many})
    teach(repo)
    repo.commit(ELSEWHERE)
    return repo.run(trouble=True)
