"""Uncommitted, untracked and ignored files, and files of odd names and kinds."""

from __future__ import annotations

import os

from tests.scenarios.builder import BASE, Repository, Result, code
from tests.scenarios.registry import flaky, genuine

TAX = BASE["shop/tax.py"]
BROKEN = TAX.replace("net * RATE", "net + RATE")
OTHER = TAX.replace("net + tax(net)", "tax(net) + net")


@genuine()
def uncommitted(repo: Repository) -> Result:
    """The bug is not committed."""
    repo.start()
    repo.write({"shop/tax.py": BROKEN})
    return repo.run()


@genuine()
def staged(repo: Repository) -> Result:
    """The bug is staged, and not committed."""
    repo.start()
    repo.write({"shop/tax.py": BROKEN})
    repo.git("add", "-A")
    return repo.run()


@genuine(or_undecided=True)  # what was in it before is not recorded
def untracked(repo: Repository) -> Result:
    """The bug is in a file that git does not track."""
    repo.commit(BASE)
    repo.write(
        {
            "shop/rates.py": "RATE = 20\n",
            "shop/tax.py": code("""
                from shop.rates import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    repo.passes()
    repo.write({"shop/rates.py": "RATE = 7\n"})
    return repo.run()


@genuine()
def no_commit_yet(repo: Repository) -> Result:
    """The repository has no commit at all."""
    repo.write(BASE)
    repo.passes()
    repo.write({"shop/tax.py": BROKEN})
    return repo.run()


@flaky()
def uncommitted_elsewhere(repo: Repository) -> Result:
    """Something that the test does not touch is being edited."""
    repo.start()
    repo.write({"shop/tax.py": OTHER, "notes.txt": "to do\n"})
    return repo.run(trouble=True)


@flaky()
def same_uncommitted_state(repo: Repository) -> Result:
    """The same uncommitted edits passed a moment ago."""
    repo.commit(BASE)
    repo.write({"shop/net.py": BASE["shop/net.py"].replace('"ok"', '"OK".lower()')})
    repo.passes()
    return repo.run(trouble=True)


@flaky()
def committed_what_had_passed(repo: Repository) -> Result:
    """Edits that passed uncommitted are committed: the same files."""
    repo.commit(BASE)
    repo.write({"shop/net.py": BASE["shop/net.py"].replace('"ok"', '"OK".lower()')})
    repo.passes()
    repo.commit()
    return repo.run(trouble=True)


@genuine()
def edited_between_two_dirty_runs(repo: Repository) -> Result:
    """The work tree was dirty when it passed, and is dirty otherwise now."""
    repo.commit(BASE)
    repo.write({"shop/tax.py": TAX + "\n# about to change\n"})
    repo.passes()
    repo.write({"shop/tax.py": BROKEN + "\n# about to change\n"})
    return repo.run()


@genuine(or_undecided=True)
def ignored_by_git(repo: Repository) -> Result:
    """A file changed that git ignores, and that the test reads."""
    repo.start(
        {
            ".gitignore": "local.json\n",
            "local.json": '{"rate": 20}\n',
            "shop/tax.py": code("""
                import json

                def tax(net):
                    with open('local.json') as file:
                        return net * json.load(file)['rate'] // 100
                """),
        }
    )
    repo.write({"local.json": '{"rate": 7}\n'})
    return repo.run()


@genuine(or_undecided=True)
def ignored_module(repo: Repository) -> Result:
    """A generated module changed that git ignores."""
    repo.start(
        {
            ".gitignore": "_version.py\n",
            "shop/_version.py": "RATE = 20\n",
            "shop/tax.py": code("""
                from shop._version import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    repo.write({"shop/_version.py": "RATE = 7\n"})
    return repo.run()


@genuine(or_undecided=True)
def assumed_unchanged(repo: Repository) -> Result:
    """Git was told to look away from the file."""
    repo.start()
    repo.git("update-index", "--assume-unchanged", "shop/tax.py")
    repo.write({"shop/tax.py": BROKEN})
    return repo.run()


@genuine(or_undecided=True)
def skipped_in_the_work_tree(repo: Repository) -> Result:
    """Git was told to leave the developer's version of the file alone."""
    repo.start()
    repo.git("update-index", "--skip-worktree", "shop/tax.py")
    repo.write({"shop/tax.py": BROKEN})
    return repo.run()


@flaky()
def assumed_unchanged_and_so_it_is(repo: Repository) -> Result:
    """Git was told to look away from files that nobody edits."""
    repo.start()
    repo.git("update-index", "--assume-unchanged", "shop/tax.py")
    repo.git("update-index", "--skip-worktree", "shop/text.py")
    return repo.run(trouble=True)


@genuine(or_undecided=True)
def ignored_in_a_folder(repo: Repository) -> Result:
    """A file changed in a folder that git ignores, after other work, and the test reads it."""
    repo.start(
        {
            ".gitignore": "local/\n",
            "local/rates.json": '{"rate": 20}\n',
            "shop/tax.py": code("""
                import json

                def tax(net):
                    with open('local/rates.json') as file:
                        return net * json.load(file)['rate'] // 100
                """),
        }
    )
    repo.commit({"shop/text.py": "def title(text):\n    return text.upper()\n"})
    repo.write({"local/rates.json": '{"rate": 7}\n'})
    return repo.run()


@flaky()
def ignored_and_not_read(repo: Repository) -> Result:
    """A file changed that git ignores, and that the failing test does not read."""
    repo.start({".gitignore": "local.json\n", "local.json": '{"rate": 20}\n'})
    repo.write({"local.json": '{"rate": 7}\n'})
    return repo.run(trouble=True)


@flaky()
def ignored_and_made_by_the_test(repo: Repository) -> Result:
    """The test writes a file that git ignores, and reads it again."""
    repo.start(
        {
            ".gitignore": "out.json\n",
            "tests/test_net.py": code("""
                from pathlib import Path

                from shop.net import fetch

                def test_net():
                    out = Path("out.json")
                    out.write_text("ok")
                    assert fetch() == out.read_text()
                """),
        }
    )
    repo.run(trouble=True)
    return repo.run(trouble=True)


@genuine()
def same_size_same_time(repo: Repository) -> Result:
    """The edit keeps size and times of the file, as a careful tool may do."""
    repo.start()
    path = repo.root / "shop/tax.py"
    before = path.stat()
    repo.write({"shop/tax.py": BROKEN})

    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    repo.git("add", "-A")
    return repo.run()


@genuine()
def odd_names(repo: Repository) -> Result:
    """The changed module's name has letters of other scripts, its folder a space."""
    repo.start(
        {
            "lib dir/größe_税.py": "RATE = 20\n",
            "pyproject.toml": code("""
                [tool.pytest.ini_options]
                pythonpath = [".", "lib dir"]
                """),
            "shop/tax.py": code("""
                from größe_税 import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    repo.commit({"lib dir/größe_税.py": "RATE = 7\n"})
    return repo.run()


@genuine("tests/ü ber/test_steuer sätze.py::test_tax")
def odd_name_of_the_test(repo: Repository) -> Result:
    """The test's file has a space and a non-ASCII letter in its path."""
    name = "tests/ü ber/test_steuer sätze.py"
    repo.start(
        {
            name: BASE["tests/test_tax.py"],
            "tests/test_tax.py": code("""
            def test_nothing():
                pass
            """),
        }
    )
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()


@flaky()
def odd_unrelated_names(repo: Repository) -> Result:
    """Files with odd names changed that nobody opens."""
    repo.start()
    repo.commit(
        {
            "docs/a b.txt": "1\n",
            'docs/quo"te.txt': "1\n",
            "docs/tab\there.txt": "1\n",
            "docs/日本.txt": "1\n",
            "docs/new\nline.txt": "1\n",
            "docs/-dash": "1\n",
        }
    )
    return repo.run(trouble=True)


@genuine("test_vat.py::test_tax")
def renamed_test_file(repo: Repository) -> Result:
    """The test's file was renamed together with the bug: a new test, as far as one can tell."""
    repo.start()
    repo.git("mv", "tests/test_tax.py", "tests/test_vat.py")
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()


@genuine()
def a_symbolic_link(repo: Repository) -> Result:
    """A symbolic link points to another module now."""
    repo.write(
        {
            "shop/full.py": "RATE = 20\n",
            "shop/low.py": "RATE = 7\n",
            "shop/tax.py": code("""
                from shop.rates import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    (repo.root / "shop/rates.py").symlink_to("full.py")
    repo.start(
        {
            "shop/tax.py": code("""
                from shop.rates import RATE

                def tax(net):
                    return net * RATE // 100
                """)
        }
    )
    (repo.root / "shop/rates.py").unlink()
    (repo.root / "shop/rates.py").symlink_to("low.py")
    repo.commit()
    return repo.run()
