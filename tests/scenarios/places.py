"""Where the project lies: sub-folders, work trees, submodules, clones, exports, no git at all."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

from tests.scenarios.builder import BASE, Repository, Result, code
from tests.scenarios.registry import flaky, genuine, unknowable

TAX = BASE["shop/tax.py"]
BROKEN = TAX.replace("net * RATE", "net + RATE")
OTHER = TAX.replace("net + tax(net)", "tax(net) + net")
PROJECT = '\n[tool.flakefighters]\nproject = "example.org/acme/shop"\n'


def shared(repo: Repository) -> None:
    """One history for several copies of the project."""
    repo.options += [f"--flakefighters-database-url=sqlite:///{repo.outside}/history.db"]
    repo.write({**BASE, "pyproject.toml": BASE["pyproject.toml"] + PROJECT})


@genuine()
def project_in_a_subfolder(repo: Repository) -> Result:
    """The project is a folder of a larger repository."""
    inner = {f"services/shop/{name}": text for name, text in BASE.items()}
    repo.commit({**inner, "README.md": "many services\n"})
    place = repo.root / "services/shop"
    repo.passes(cwd=place)
    repo.commit({"services/shop/shop/tax.py": BROKEN})
    return repo.run(cwd=place)


@genuine()
def library_beside_the_project(repo: Repository) -> Result:
    """In a monorepo the bug is in a library outside the project's folder."""
    inner = {f"services/shop/{name}": text for name, text in BASE.items()}
    inner["services/shop/pyproject.toml"] = (
        '[tool.pytest.ini_options]\npythonpath = [".", "../../libs"]\n'
    )
    inner["services/shop/shop/tax.py"] = code("""
        from rates import RATE

        def tax(net):
            return net * RATE // 100
        """)
    repo.commit({**inner, "libs/rates.py": "RATE = 20\n"})
    place = repo.root / "services/shop"
    repo.passes(cwd=place)
    repo.commit({"libs/rates.py": "RATE = 7\n"})
    return repo.run(cwd=place)


@flaky()
def another_project_of_the_monorepo(repo: Repository) -> Result:
    """The commit touches another project of the same repository."""
    inner = {f"services/shop/{name}": text for name, text in BASE.items()}
    repo.commit({**inner, "services/stock/stock.py": "STOCK = 1\n"})
    place = repo.root / "services/shop"
    repo.passes(cwd=place)
    repo.commit({"services/stock/stock.py": "STOCK = 2\n"})
    return repo.run(cwd=place, trouble=True)


@genuine()
def started_elsewhere(repo: Repository) -> Result:
    """The failing run was started in another folder than the passing one."""
    repo.start()
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run(cwd=repo.root / "tests")


@flaky()
def started_elsewhere_on_the_same_state(repo: Repository) -> Result:
    """The same state passed, started in another folder."""
    repo.start()
    return repo.run(cwd=repo.root / "tests", trouble=True)


@genuine()
def a_worktree(repo: Repository) -> Result:
    """The bug is on a branch in a second work tree that shares the history."""
    shared(repo)
    repo.commit()
    repo.passes()
    place = repo.outside / "second"
    repo.git("worktree", "add", "-q", "-b", "topic", str(place))
    (place / "shop/tax.py").write_text(BROKEN)
    repo.git("commit", "-q", "-am", "work", cwd=place)
    return repo.run(cwd=place)


@flaky()
def a_worktree_of_the_same_state(repo: Repository) -> Result:
    """The same tree passed in the first work tree."""
    shared(repo)
    repo.commit()
    repo.passes()
    place = repo.outside / "second"
    repo.git("worktree", "add", "-q", "-b", "topic", str(place))
    return repo.run(cwd=place, trouble=True)


def _submodule(repo: Repository) -> Path:
    library = repo.outside / "library"
    repo.init(library)
    (library / "rates.py").write_text("RATE = 20\n")
    repo.git("add", "-A", cwd=library)
    repo.git("commit", "-q", "-m", "library", cwd=library)
    repo.git("submodule", "--quiet", "add", str(library), "vendor")
    repo.start(
        {
            "pyproject.toml": code("""
                [tool.pytest.ini_options]
                pythonpath = [".", "vendor"]
                """),
            "shop/tax.py": code("""
                from rates import RATE

                def tax(net):
                    return net * RATE // 100
                """),
        }
    )
    return repo.root / "vendor"


@genuine(or_undecided=True)
def a_submodule_moves_on(repo: Repository) -> Result:
    """The commit takes a newer version of a submodule."""
    vendor = _submodule(repo)
    (vendor / "rates.py").write_text("RATE = 7\n")
    repo.git("commit", "-q", "-am", "lower", cwd=vendor)
    repo.commit()
    return repo.run()


@genuine(or_undecided=True)
def a_dirty_submodule(repo: Repository) -> Result:
    """A file of a submodule is edited in place."""
    vendor = _submodule(repo)
    (vendor / "rates.py").write_text("RATE = 7\n")
    return repo.run()


@flaky()
def a_submodule_untouched(repo: Repository) -> Result:
    """There is a submodule, and the commit touches something else."""
    _submodule(repo)
    repo.commit({"README.md": "a shop\n"})
    return repo.run(trouble=True)


@genuine(or_undecided=True)
def a_sibling_checkout(repo: Repository) -> Result:
    """The bug is in another repository beside this one, imported from its folder."""
    library = repo.outside / "library"
    repo.init(library)
    (library / "rates.py").write_text("RATE = 20\n")
    repo.paths.append(library)
    repo.start(
        {
            "shop/tax.py": code("""
            from rates import RATE

            def tax(net):
                return net * RATE // 100
            """)
        }
    )
    (library / "rates.py").write_text("RATE = 7\n")
    return repo.run()


def _clone(repo: Repository, *args: str) -> Path:
    place = repo.outside / "clone"
    repo.git("clone", "-q", *args, f"file://{repo.root}", str(place))
    return place


@genuine()
def depth_one_clone(repo: Repository) -> Result:
    """A clone of depth 1 knows only its last commit; the history knows the files that passed."""
    shared(repo)
    repo.commit()
    repo.passes()
    repo.commit({"shop/tax.py": BROKEN})
    repo.commit({"README.md": "a shop\n"})
    return repo.run(cwd=_clone(repo, "--depth", "1"))


@flaky()
def depth_one_clone_with_unrelated_work(repo: Repository) -> Result:
    """A clone of depth 1, and only unrelated work since the pass."""
    shared(repo)
    repo.commit()
    repo.passes()
    repo.commit({"shop/tax.py": OTHER})
    repo.commit({"README.md": "a shop\n"})
    return repo.run(cwd=_clone(repo, "--depth", "1"), trouble=True)


@flaky()
def depth_one_clone_of_the_same_state(repo: Repository) -> Result:
    """A clone of depth 1 of the state that passed."""
    shared(repo)
    repo.commit()
    repo.passes()
    return repo.run(cwd=_clone(repo, "--depth", "1"), trouble=True)


@genuine()
def sparse_checkout(repo: Repository) -> Result:
    """Parts of the tree are not checked out."""
    repo.start({"docs/big.txt": "big\n", "more/old.py": "OLD = 1\n"})
    repo.git("sparse-checkout", "set", "shop", "tests")
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run()


def _export(repo: Repository, name: str) -> Path:
    place = repo.outside / name
    place.mkdir()
    repo.git("archive", "-o", str(repo.outside / "export.tar"), "HEAD")
    with tarfile.open(repo.outside / "export.tar") as archive:
        archive.extractall(place, filter="data")
    return place


@genuine()
def exported_tarball(repo: Repository) -> Result:
    """The failing run is in an exported tarball without git, the pass was in the repository."""
    shared(repo)
    repo.commit()
    repo.passes()
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run(cwd=_export(repo, "export"))


@flaky(or_undecided=True)
def exported_tarball_of_the_same_state(repo: Repository) -> Result:
    """An exported tarball of the state that passed in the repository."""
    shared(repo)
    repo.commit()
    repo.passes()
    return repo.run(cwd=_export(repo, "export"), trouble=True)


@genuine(bare=True)
def no_repository(repo: Repository) -> Result:
    """The project is no git repository at all."""
    repo.start()
    repo.write({"shop/tax.py": BROKEN})
    return repo.run()


@genuine(or_undecided=True, bare=True)
def no_repository_and_no_list_of_files(repo: Repository) -> Result:
    """Without git only the history tells of the older files, and has lost the list of them."""
    repo.start()
    with closing(sqlite3.connect(repo.root / "flakefighters.db")) as connection:
        connection.execute("DELETE FROM listing")
        connection.commit()
    repo.edit("shop/tax.py", "RATE = 20", "RATE = 7")
    return repo.run()


@flaky(bare=True)
def no_repository_and_unrelated_work(repo: Repository) -> Result:
    """No git repository, and an unrelated file was edited."""
    repo.start()
    repo.write({"shop/tax.py": OTHER})
    return repo.run(trouble=True)


@flaky(bare=True)
def no_repository_and_no_change(repo: Repository) -> Result:
    """No git repository, and nothing was edited."""
    repo.start()
    return repo.run(trouble=True)


def _without_git(repo: Repository) -> dict[str, str]:
    empty = repo.outside / "bin"
    empty.mkdir()
    return {"PATH": str(empty)}


@genuine()
def no_git_binary(repo: Repository) -> Result:
    """A repository, but git is not installed where it fails."""
    repo.start()
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run(env=_without_git(repo))


@flaky(or_undecided=True)
def no_git_binary_and_unrelated_work(repo: Repository) -> Result:
    """Git is not installed where it fails, and only unrelated work was done."""
    repo.start()
    repo.commit({"shop/tax.py": OTHER})
    return repo.run(env=_without_git(repo), trouble=True)


@genuine()
def foreign_owner(repo: Repository) -> Result:
    """The folder belongs to somebody else, and git refuses to look into it."""
    repo.start()
    repo.commit({"shop/tax.py": BROKEN})
    return repo.run(env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})


@genuine()
def broken_repository(repo: Repository) -> Result:
    """The objects of the commit that passed are lost."""
    repo.start()
    passed = repo.git("rev-parse", "HEAD^{tree}")
    repo.commit({"shop/tax.py": BROKEN})
    (repo.root / ".git/objects" / passed[:2] / passed[2:]).unlink()
    return repo.run()


@unknowable("test_tax.py::test_tax", right=("undecided", "genuine"), wrong=("flaky",))
def history_of_another_project(repo: Repository) -> Result:
    """The only pass on record belongs to another project in the same database."""
    repo.options += [f"--flakefighters-database-url=sqlite:///{repo.outside}/history.db"]
    repo.write({**BASE, "pyproject.toml": BASE["pyproject.toml"] + PROJECT.replace("shop", "twin")})
    repo.commit()
    repo.passes()
    other = repo.outside / "other"
    shutil.copytree(repo.root, other, ignore=shutil.ignore_patterns(".git"))
    (other / "pyproject.toml").write_text(BASE["pyproject.toml"] + PROJECT)
    (other / "tests/test_tax.py").write_text(
        code("""
            import os

            def test_tax():
                assert not os.path.exists(os.environ['TROUBLE'])
            """)
    )
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    return repo.run(cwd=other, trouble=True)
