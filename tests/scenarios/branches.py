"""Git's ways: branches, merges, reverts, amendments, rebases."""

from __future__ import annotations

from tests.scenarios.builder import BASE, Repository, Result, code
from tests.scenarios.registry import flaky, genuine

TAX = BASE["shop/tax.py"]
BROKEN = TAX.replace("net * RATE", "net + RATE")
OTHER = TAX.replace("net + tax(net)", "tax(net) + net")


@genuine()
def merge_brings_the_bug(repo: Repository) -> Result:
    """A branch with the bug is merged; the merge commit itself changes nothing."""
    repo.start()
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/tax.py": BROKEN})
    repo.git("checkout", "-q", "main")
    repo.commit({"README.md": "a shop\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    return repo.run()


@flaky()
def merge_of_unrelated_work(repo: Repository) -> Result:
    """A branch that has nothing to do with the test is merged."""
    repo.start()
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/tax.py": OTHER})
    repo.git("checkout", "-q", "main")
    repo.commit({"README.md": "a shop\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    return repo.run(trouble=True)


@genuine()
def bug_made_by_a_merge(repo: Repository) -> Result:
    """Two branches, each right by itself, are wrong together."""
    repo.start(
        {
            "shop/rates.py": "RATE = 20\n",
            "shop/tax.py": code("""
                from shop.rates import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit(
        {
            "shop/rates.py": "RATE = 0.2\n",
            "shop/tax.py": code("""
                from shop.rates import RATE

                def tax(net):
                    return net * RATE
                """),
        }
    )
    repo.passes()
    repo.git("checkout", "-q", "main")
    repo.commit(
        {
            "shop/more.py": code("""
                from shop.rates import RATE

                def more():
                    return 100 + RATE
                """),
            "tests/test_tax.py": code("""
                from shop.more import more

                def test_tax():
                    assert more() == 120
                """),
        }
    )
    repo.passes()
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    return repo.run()


@genuine()
def reverted_fix(repo: Repository) -> Result:
    """A fix is reverted: the state is that of an earlier failure."""
    repo.commit({**BASE, "shop/tax.py": BROKEN})
    repo.fails()
    fix = repo.commit({"shop/tax.py": TAX})
    repo.passes()
    repo.git("revert", "--no-edit", fix)
    return repo.run()


@flaky()
def reverted_change(repo: Repository) -> Result:
    """A change of the test's code is reverted: the state is that of an earlier pass."""
    repo.start()
    change = repo.commit({"shop/net.py": BASE["shop/net.py"].replace('"ok"', '"OK".lower()')})
    repo.git("revert", "--no-edit", change)
    return repo.run(trouble=True)


@genuine()
def amended_away(repo: Repository) -> Result:
    """The commit that passed last was amended, the bug came with the amendment."""
    repo.commit(BASE)
    repo.commit({"README.md": "a shop\n"})
    repo.passes()
    repo.write({"shop/tax.py": BROKEN})
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "better")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    return repo.run()


@flaky()
def amended_message(repo: Repository) -> Result:
    """Only the message of the commit that passed was amended."""
    repo.start()
    repo.git("commit", "-q", "--amend", "-m", "better")
    return repo.run(trouble=True)


@genuine()
def rebased_with_the_bug(repo: Repository) -> Result:
    """The branch passed before it was rebased onto a main that holds the bug."""
    repo.commit(BASE)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"README.md": "a shop\n"})
    repo.passes()
    repo.git("checkout", "-q", "main")
    repo.commit({"shop/tax.py": BROKEN})
    repo.git("checkout", "-q", "topic")
    repo.git("rebase", "-q", "main")
    return repo.run()


@flaky()
def rebased_onto_unrelated_work(repo: Repository) -> Result:
    """The branch passed before it was rebased onto unrelated work."""
    repo.commit(BASE)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"README.md": "a shop\n"})
    repo.passes()
    repo.git("checkout", "-q", "main")
    repo.commit({"shop/tax.py": OTHER})
    repo.git("checkout", "-q", "topic")
    repo.git("rebase", "-q", "main")
    return repo.run(trouble=True)


@flaky()
def squashed(repo: Repository) -> Result:
    """Commits that passed are squashed into one: another commit, the same tree."""
    first = repo.commit(BASE)
    repo.commit({"README.md": "a shop\n"})
    repo.commit({"shop/tax.py": OTHER})
    repo.passes()
    repo.git("reset", "-q", "--soft", first)
    repo.git("commit", "-q", "-m", "all in one")
    return repo.run(trouble=True)


@genuine()
def passed_on_another_branch(repo: Repository) -> Result:
    """The only pass was on a branch that is no ancestor, with other code."""
    repo.commit(BASE)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    repo.passes()
    repo.git("checkout", "-q", "main")
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()


@flaky()
def passed_on_another_branch_that_differs_elsewhere(repo: Repository) -> Result:
    """The only pass was on a branch that differs in what the test does not touch."""
    repo.commit(BASE)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    repo.passes()
    repo.git("checkout", "-q", "main")
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@genuine()
def back_to_an_old_commit(repo: Repository) -> Result:
    """Detached, at an old commit that holds a bug which was fixed since."""
    old = repo.commit({**BASE, "shop/tax.py": BROKEN})
    repo.commit({"shop/tax.py": TAX})
    repo.passes()
    repo.git("checkout", "-q", "--detach", old)
    return repo.run()


@flaky()
def detached_head(repo: Repository) -> Result:
    """Detached, at a commit that differs elsewhere."""
    repo.start()
    repo.git("checkout", "-q", "--detach")
    repo.commit({"shop/tax.py": OTHER})
    return repo.run(trouble=True)


@genuine()
def orphan_branch(repo: Repository) -> Result:
    """History was thrown away and begun anew, with the bug."""
    repo.start()
    repo.git("checkout", "-q", "--orphan", "fresh")
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()


@genuine()
def single_commit_amended(repo: Repository) -> Result:
    """The repository has one commit only, which was amended."""
    repo.start()
    repo.write({"shop/tax.py": BROKEN})
    repo.git("add", "-A")
    repo.git("commit", "-q", "--amend", "-m", "again")
    return repo.run()
