"""The state of real work trees, ordinary and odd."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flakefighters.reach.import_graph import ImportGraph
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.state.disk import blob_id
from flakefighters.state.files import differing
from flakefighters.state.git import Git
from tests.requirements import need_module
from tests.state.repositories import Repo, read


def test_a_clean_checkout(repo: Repo) -> None:
    found = repo.read()
    assert found.base == repo.path
    assert found.prefix == ""
    assert found.commit == repo.git("rev-parse", "HEAD")
    assert found.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert found.branch == "main"
    assert (found.upstream, found.shallow, found.dirty, found.reason) == (None, False, False, None)
    assert found.state is not None
    assert found.state.tree == found.tree
    assert found.state.digest is None
    files = found.files()
    assert files is not None
    assert set(files) == {"shop/__init__.py", "shop/tax.py", "tests/test_tax.py"}
    assert files["shop/tax.py"] == repo.git("rev-parse", "HEAD:shop/tax.py")[:16]


def test_a_subfolder_sees_the_whole_repository(repo: Repo) -> None:
    whole, part = repo.read(), repo.read("shop")
    assert (part.base, part.prefix) == (repo.path, "shop")
    assert part.state == whole.state
    repo.write(tests__test_tax="changed")
    assert repo.read("shop").state != whole.state
    assert repo.read("shop").files() == repo.read().files()


def test_equal_content_has_one_name_everywhere(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--detach", "../linked")
    clone = repo.clone("clone")
    linked = read(repo.path.parent / "linked")
    assert linked.state == clone.read().state == repo.read().state
    assert linked.branch is None
    assert clone.read().upstream == "origin/main"
    for place in (repo, clone, Repo(repo.path.parent / "linked", init=False)):
        place.write(shop__tax="RATE = 21\n", shop__new="x = 1\n")
        (place.path / "shop/__init__.py").unlink()
    assert repo.read().state == clone.read().state != linked.state
    assert read(repo.path.parent / "linked").state == repo.read().state


def test_a_merge_is_the_tree_that_it_makes(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "feature")
    repo.write(shop__new="x = 1\n")
    repo.commit()
    feature = repo.state_id()
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    assert repo.state_id() == feature


def test_staged_and_unstaged_content_is_the_same(repo: Repo) -> None:
    clean = repo.read()
    repo.write(shop__tax="RATE = 21\n", shop__new="x = 1\n")
    (repo.path / "tests/test_tax.py").unlink()
    loose = repo.read()
    repo.git("add", "-A")
    staged = repo.read()
    assert loose.dirty
    assert loose.state == staged.state != clean.state
    assert loose.files() == staged.files()
    repo.commit()
    assert repo.read().files() == staged.files()  # though the state has another tree now
    # Staged one way and put back another way: the disk decides.
    repo.write(shop__tax="RATE = 22\n")
    repo.git("add", "-A")
    repo.write(shop__tax="RATE = 21\n")
    assert repo.read().dirty is False


def test_a_touched_file_is_no_change(repo: Repo) -> None:
    clean = repo.state_id()
    os.utime(repo.path / "shop/tax.py", (1, 1))
    index = (repo.path / ".git/index").read_bytes()
    assert repo.state_id() == clean
    assert (repo.path / ".git/index").read_bytes() == index  # not even refreshed


def test_what_tools_and_we_leave_behind_is_no_change(repo: Repo) -> None:
    clean = repo.read()
    for name in (
        "flakefighters.db",
        "flakefighters.db-wal",
        ".flakefighters/spool/x.jsonl",
        "shop/__pycache__/tax.cpython-311.pyc",
        ".pytest_cache/v/lastfailed",
        ".coverage",
        ".coverage.host.123",
        "htmlcov/index.html",
        ".hypothesis/x",
        "junit-report.xml",
        "flakefighters.json",
        ".report.json",
        "report.html",
        "reports/test-results.xml",
        "flakefighters-tests.csv",
        "build/lib/shop/tax.py",
        "shop.egg-info/PKG-INFO",
    ):
        repo.put(name, "x")
    assert repo.read().state == clean.state
    assert repo.read().dirty is False
    repo.put("shop/results.json", "x")  # data of any kind may have this name
    assert repo.read().dirty is True
    (repo.path / "shop/results.json").unlink()
    repo.put("shop/build/tax.py", "x")  # but a package may have this name
    assert repo.read().dirty is True


def test_ignored_code_counts_but_version_stamps_and_environments_do_not(repo: Repo) -> None:
    repo.put(".gitignore", "*_pb2.py\n_version.py\n/gen/\n/myenv/\n*.bin\n")
    repo.commit()
    clean = repo.state_id()
    repo.put("shop/_version.py", "x = 1")
    repo.put("shop/data.bin", "x = 1")
    repo.put("myenv/pyvenv.cfg", "")
    repo.put("myenv/lib/x.py", "")
    assert repo.state_id() == clean
    repo.put("shop/api_pb2.py", "x = 1")
    one = repo.read()
    assert one.state is not None
    assert one.state.id != clean
    assert one.dirty is False
    repo.put("gen/deep/code.py", "x = 1")
    files = repo.read().files()
    assert files is not None
    assert {"gen/deep/code.py", "shop/api_pb2.py"} <= set(files)


ODD = ["a b.py", "grün/ß.py", "new\nline.py", 'quo"te.py', "tab\t.py", "-dash.py", "日本.py", " "]


@pytest.mark.skipif(sys.platform == "win32", reason="such names need POSIX")
def test_odd_names(repo: Repo) -> None:
    for name in ODD:
        repo.put(name, "x = 1\n")
    (repo.path / os.fsdecode(b"latin-\xe9.py")).write_text("x = 1\n")
    names = {*ODD, os.fsdecode(b"latin-\xe9.py")}
    untracked = repo.read()
    assert names <= set(untracked.files() or ())
    repo.commit()
    clean = repo.read()
    assert clean.dirty is False
    assert untracked.files() == clean.files()
    for name in names:
        (repo.path / name).write_text("x = 2\n")
    changed = repo.read()
    assert {change.path for change in differing(clean.files() or {}, changed.files() or {})} == (
        names
    )
    assert changed.tree is not None
    old = changed.read_many(changed.tree, names)
    assert old == dict.fromkeys(names, b"x = 1\n")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_and_modes(repo: Repo) -> None:
    (repo.path / "link").symlink_to("shop/tax.py")
    (repo.path / "folder").symlink_to("shop")
    before = repo.read().files()
    repo.commit()
    clean = repo.read()
    assert clean.files() == before
    assert before is not None
    assert before["link"] == blob_id(b"shop/tax.py")[:16]
    (repo.path / "shop/tax.py").chmod(0o755)
    executable = repo.read()
    assert executable.state != clean.state
    assert executable.files() == clean.files()
    repo.write(shop__tax="RATE = 21\n")
    both = repo.read().state
    (repo.path / "shop/tax.py").chmod(0o644)
    assert repo.read().state != both
    repo.write(shop__tax="RATE = 20\n")
    assert repo.read().state == clean.state
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("nowhere")
    assert repo.read().dirty is True


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such mode there")
def test_a_script_may_be_executed_or_not(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    script = repo.path / "go"
    script.write_text("#!/bin/sh\n")
    plain = repo.read().files()
    script.chmod(0o755)
    found = [repo.read().files()]  # untracked
    repo.git("add", "go")
    found.append(repo.read().files())
    repo.commit()
    clean = repo.read()
    found += [clean.files(), clean.files_of(clean.tree or "")]
    repo.git("update-index", "--assume-unchanged", "go")
    found.append(repo.read().files())
    repo.git("update-index", "--no-assume-unchanged", "go")
    script.chmod(0o644)
    assert repo.read().files() == plain
    script.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    found.append(repo.read().files())
    assert plain is not None
    assert plain["go"] == blob_id(b"#!/bin/sh\n")[:16]
    assert all(one is not None and one["go"] != plain["go"] for one in found)
    assert len({one["go"] for one in found if one is not None}) == 1


def test_no_commit_yet(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "new")
    empty = repo.read()
    assert (empty.commit, empty.tree, empty.branch, empty.reason) == (None, None, "main", None)
    assert empty.files() == {}
    assert empty.ancestors() == ()
    repo.write(a="x = 1\n")
    repo.git("add", "-A")
    assert set(repo.read().files() or ()) == {"a.py"}
    assert repo.read().state != empty.state


def test_a_shallow_clone(repo: Repo) -> None:
    for number in range(3):
        repo.write(shop__tax=f"RATE = {number}\n")
        repo.commit()
    shallow = repo.clone("shallow", "--depth=1").read()
    assert shallow.shallow is True
    assert shallow.state == repo.read().state
    assert shallow.ancestors() == (shallow.commit,)
    assert len(repo.read().ancestors()) == 4
    assert repo.read().ancestors(2) == (shallow.commit, repo.git("rev-parse", "HEAD~1"))
    gone = repo.git("rev-parse", "HEAD~2^{tree}")
    assert shallow.files_of(gone) is None
    assert shallow.read_many(gone, ["shop/tax.py"]) == {}


def test_a_sparse_checkout(repo: Repo) -> None:
    clone = repo.clone("sparse")
    clone.git("sparse-checkout", "set", "--no-cone", "/shop/")
    assert not (clone.path / "tests").exists()
    assert clone.read().state == repo.read().state


def test_submodules(repo: Repo, tmp_path: Path) -> None:
    library = Repo(tmp_path / "library")
    library.write(lib="x = 1\n")
    library.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.path), "lib")
    commit = repo.commit()
    clean = repo.read()
    assert (clean.commit, clean.dirty) == (commit, False)
    assert (clean.files() or {})["lib"] == library.git("rev-parse", "HEAD")[:16]
    inner = Repo(repo.path / "lib", init=False)
    inner.put("__pycache__/lib.pyc", "x")
    assert repo.read().state == clean.state
    inner.write(lib="x = 2\n")
    dirty = repo.read()
    assert dirty.state != clean.state
    inner.write(lib="x = 3\n")
    assert repo.read().state != dirty.state
    moved = inner.commit()
    assert (repo.read().files() or {})["lib"] == moved[:16]


def test_a_repository_inside(repo: Repo) -> None:
    clean = repo.read()
    inner = Repo(repo.path / "inner")
    inner.write(a="x = 1\n")
    inner.commit()
    found = repo.read()
    assert found.state != clean.state
    inner.write(a="x = 2\n")
    assert repo.read().state != found.state
    repo.git("worktree", "add", "-q", ".trees/other")
    (inner.path / "a.py").write_text("x = 1\n")
    assert repo.read().state == found.state  # another checkout of ours is not our content


def test_a_conflict(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "feature")
    repo.write(shop__tax="RATE = 1\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write(shop__tax="RATE = 2\n")
    repo.commit()
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "feature")
    found = repo.read()
    assert found.dirty
    content = (repo.path / "shop/tax.py").read_bytes()
    assert (found.files() or {})["shop/tax.py"] == blob_id(content)[:16]


def test_long_object_ids(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "long", "--object-format=sha256")
    repo.write(a="x = 1\n")
    repo.commit()
    clean = repo.read()
    assert clean.tree is not None
    assert len(clean.tree) == 64
    repo.write(b="x = 2\n")
    before = repo.read().files()
    repo.commit()
    assert repo.read().files() == before


def test_line_endings_as_git_stores_them(repo: Repo) -> None:
    clean = repo.state_id()
    repo.git("config", "core.autocrlf", "true")
    repo.put("shop/tax.py", "RATE = 20\r\n")
    repo.put("shop/new.py", "x = 1\r\n")
    before = repo.read().files()
    (repo.path / "shop/new.py").unlink()
    assert repo.state_id() == clean
    repo.put("shop/new.py", "x = 1\r\n")
    repo.commit()
    assert repo.read().files() == before


def test_large_files_cost_little(repo: Repo) -> None:
    big = repo.put("data.bin", b"\0" * (9 << 20))
    one = repo.state_id()
    with big.open("r+b") as stream:
        stream.write(b"x")
    two = repo.state_id()
    with big.open("ab") as stream:
        stream.write(b"\0")
    assert len({one, two, repo.state_id()}) == 3


def test_contents_of_old_states(repo: Repo) -> None:
    old = repo.read()
    assert old.tree is not None
    repo.write(shop__tax="RATE = 21\n")
    repo.put("shop/empty.py", "")
    repo.commit()
    found = repo.read()
    assert found.contents("shop/tax.py", old.tree) == b"RATE = 20\n"
    assert found.contents("shop/empty.py", old.tree) is None
    assert found.contents("shop/tax.py", "0" * 40) is None
    assert found.contents("shop/tax.py", "--output=/tmp/x") is None
    assert found.files_of(old.tree) == old.files()
    files = {**(found.files() or {}), "gone": "f" * 16}
    blobs = found.read_blobs(files.values())
    assert blobs[files["shop/tax.py"]] == b"RATE = 21\n"
    assert blobs[files["shop/empty.py"]] == b""
    assert "f" * 16 not in blobs


def test_tracked_or_not(repo: Repo) -> None:
    repo.put(".gitignore", "*.db\n/.flakefighters/\n")
    repo.put("Loose.txt", "x")
    repo.put("flakefighters.db", "x")
    found = repo.read()
    assert found.is_tracked("shop/tax.py")
    assert found.is_tracked(repo.path / "shop" / "tax.py")
    assert found.is_tracked("SHOP/Tax.py")  # the same file where case does not count
    assert not found.is_tracked("Loose.txt")
    assert not found.is_tracked("flakefighters.db")
    assert not found.is_tracked("absent.db")
    assert not found.is_tracked(repo.path.parent / "outside")
    repo.git("add", "-f", "flakefighters.db")
    assert repo.read().is_tracked("flakefighters.db")
    repo.git("commit", "-q", "-m", "oh")
    assert repo.read().is_tracked("flakefighters.db")


def test_paths_relative_to_the_base(repo: Repo) -> None:
    found = repo.read("shop")
    assert found.relative(repo.path / "tests" / "test_tax.py") == "tests/test_tax.py"
    assert found.relative(repo.path.parent) is None
    if sys.platform != "win32":
        link = repo.path.parent / "link"
        link.symlink_to(repo.path)
        assert found.relative(link / "shop" / "tax.py") == "shop/tax.py"
        assert read(link / "shop").prefix == "shop"


def test_credentials_do_not_show(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "https://me:hunter2@example.org/acme/shop.git")
    repo.git("config", "url.https://tok:sesame@example.org/.insteadOf", "ex:")
    repo.git("remote", "add", "upstream", "ex:acme/shop")
    found = repo.read()
    assert found.remotes == {
        "origin": "https://example.org/acme/shop.git",
        "upstream": "https://example.org/acme/shop",
    }
    assert "hunter2" not in repr(found)
    assert "sesame" not in repr(found)


@pytest.mark.parametrize("missing", ["git", "ownership"])
def test_without_gits_help(repo: Repo, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    repo.git("remote", "add", "origin", "https://me:hunter2@example.org/acme/shop.git")
    repo.git("worktree", "add", "-q", "../linked")
    (repo.path.parent / "linked").rename(repo.path.parent / "moved")
    repo.git("worktree", "repair", "../moved")
    repo.git("pack-refs", "--all")
    known = repo.read()
    if missing == "git":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for place in (repo.path / "shop", repo.path.parent / "moved" / "shop"):
        found = read(place)
        assert found.base == place.parent
        assert (found.prefix, found.commit) == ("shop", known.commit)
        assert found.remotes == known.remotes
        assert found.reason in (
            "git is not installed",
            "git refuses a folder that belongs to another user (safe.directory)",
        )
        assert found.files() == known.files()
        assert found.dirty is None
        assert found.state is not None
        assert found.ancestors() == ()
        assert found.contents("shop/tax.py", "0" * 40) is None
        assert found.is_tracked("shop/tax.py")
        assert not found.is_tracked("flakefighters.db")
    assert read(repo.path).branch == "main"
    assert read(repo.path.parent / "moved").branch == "linked"


def test_no_repository(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = Repo(tmp_path / name, init=False)
        folder.write(a="x = 1\n", pkg__b="y = 2\n")
        folder.put("__pycache__/a.pyc", name)
        folder.put("env/lib/z.py", name)
        folder.put("myenv/pyvenv.cfg", name)
        folder.put("flakefighters.db", name)
    one, two = read(tmp_path / "one"), read(tmp_path / "two")
    assert one.base == tmp_path / "one"
    assert one.reason == "not a git repository"
    assert one.state is not None
    assert one.state == two.state
    assert one.state.tree is None
    assert set(one.files() or ()) == {"a.py", "pkg/b.py"}
    (tmp_path / "two" / "a.py").write_text("x = 2\n")
    assert read(tmp_path / "two").state != one.state


@pytest.mark.parametrize("oddity", ["empty .git", "file .git", "bare", "inside .git"])
def test_odd_repositories(repo: Repo, tmp_path: Path, oddity: str) -> None:
    place = tmp_path / "odd"
    place.mkdir()
    (place / "a.py").write_text("x = 1\n")
    if oddity == "empty .git":
        (place / ".git").mkdir()
    elif oddity == "file .git":
        (place / ".git").write_bytes(b"gitdir: \xff\0nowhere\n")
    elif oddity == "bare":
        repo.git("clone", "-q", "--bare", ".", str(place / "bare"))
        place = place / "bare"
    else:
        place = repo.path / ".git"
    found = read(place)
    assert found.reason is not None
    assert found.has_git is False
    found.files()
    assert not found.is_tracked("not_there.txt")
    assert found.ancestors() == ()


def test_in_a_hook(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``git commit -a`` runs hooks with an index of its own and a relative GIT_DIR."""
    other = Repo(tmp_path / "other")
    other.commit()
    clean = repo.read()
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    monkeypatch.setenv("GIT_PREFIX", "shop/")
    monkeypatch.setenv("GIT_TRACE", "1")
    assert repo.read("shop").state == clean.state
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    assert repo.read().commit == clean.commit


def test_a_repository_apart_from_its_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    repo = Repo(tree)
    repo.write(a="x = 1\n")
    commit = repo.commit()
    (tree / ".git").rename(tmp_path / "apart")
    assert read(tree).commit is None
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "apart"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tree))
    assert read(tree).commit == commit
    assert read(tree).base == tree


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_projects_settings_start_no_programs(repo: Repo, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexec cat\n")
    trap.chmod(0o755)
    old = repo.read().tree
    for name in ("core.fsmonitor", "diff.external", "diff.x.textconv", "core.pager", "core.editor"):
        repo.git("config", name, str(trap))
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/attributes").write_text("*.py diff=x\n")
    repo.write(shop__tax="RATE = 21\n")
    found = repo.read()
    found.files()
    found.ancestors()
    assert old is not None
    assert found.contents("shop/tax.py", old) == b"RATE = 20\n"
    assert not (tmp_path / "sprung").exists()


def test_the_moment_of_reading_is_kept(repo: Repo) -> None:
    """Tests commit, write and delete while they run; the state is that of the start."""
    repo.write(shop__tax="RATE = 21\n")
    found = repo.read()
    tax = blob_id(b"RATE = 21\n")[:16]
    repo.write(shop__tax="RATE = 22\n", shop__new="x = 1\n")
    repo.commit()
    assert (found.files() or {})["shop/tax.py"] == tax
    assert "shop/new.py" not in (found.files() or {})
    assert found.ancestors() == (found.commit,)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_status_that_does_not_come(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status that takes too long costs the state, not the commit's tree."""
    real = next(
        place
        for folder in os.environ["PATH"].split(os.pathsep)
        if (place := Path(folder) / "git").is_file()
    )
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *status*) while :; do :; done;; *) exec {real} "$@";; esac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    found = Checkout.read(Anchor(path=repo.path), Git(repo.path, limit=0.5))
    assert found.reason == "git did not answer within 0.5 s"
    assert (found.state, found.dirty, found.files()) == (None, None, None)
    assert found.has_git is True
    assert found.commit == repo.git("rev-parse", "HEAD")
    assert found.tree is not None


def test_a_fake_file_system_is_not_ours(repo: Repo) -> None:
    """A test may leave pyfakefs on, a frozen clock and another folder."""
    need_module("pyfakefs")
    from pyfakefs.fake_filesystem_unittest import Patcher

    repo.write(shop__tax="RATE = 21\n")
    found = repo.read()
    files = found.files()
    assert files is not None
    with Patcher():
        assert not (repo.path / "shop/tax.py").exists()
        assert found.files() == files
        reached = ImportGraph(found.base, files, disk=found.disk).reach("tests/test_tax.py")
        found.ancestors()
        found.contents("shop/tax.py", found.tree or "")
        found.is_tracked("shop/tax.py")
        repo.read()
    assert set(reached.files) == {"tests/test_tax.py", "shop/__init__.py", "shop/tax.py"}
