"""Hostile names and secrets: nothing of them gets out of hand through us."""

from __future__ import annotations

import pytest

from tests.e2e.project import Project

HOSTILE = r"""
    import pytest

    NAMES = ["\x1b[2J\x1b[31m", "\u202eevil\u2066", "a\n::error::b", "##vso[task.complete]",
             "##teamcity[x name='y']", "\r::set-output name=x::y", "%0A::error::", "]]><x>",
             "\x9b1m"]

    @pytest.mark.parametrize("name", NAMES, ids=NAMES)
    def test_it(name):
        raise ValueError(name)

    @pytest.mark.parametrize("name", NAMES)
    def test_sub(name, subtests):
        with subtests.test(name):
            assert 0
    """
INI = """
    [pytest]
    disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true
    """


@pytest.mark.parametrize("where", ["terminal", "ci"])
def test_hostile_names(project: Project, where: str) -> None:
    subtests = int(pytest.__version__.partition(".")[0]) >= 9
    suite = (
        HOSTILE
        if subtests
        else HOSTILE.partition('    @pytest.mark.parametrize("name", NAMES)\n')[0]
    )
    project.write({"pytest.ini": INI, "test_it.py": suite})
    project.init()
    project.git("checkout", "-q", "-b", "evil\u202e/branch")
    project.commit()
    env = {"CI": "true", "GITHUB_ACTIONS": "true"} if where == "ci" else {}
    off = "--flakefighters-ci=off"  # commands of ours have a test of their own
    ended = project.pytest("--color=no", off, "--junitxml=report.xml", env=env, expect=1)
    text = "\n".join(ended.ours)
    assert len(ended.verdicts) == (9 if not subtests else 18)
    for hidden in "\x1b\r\x9b\u202e\u2066":
        assert hidden not in text
    assert all(
        line.startswith(("UNDECIDED", "=", "flakefighters", "18 ", "9 ")) for line in ended.ours
    )
    if where == "ci":
        assert not any(line.lstrip().startswith("::") for line in ended.ours)
        assert "##vso[" not in text
        assert "##teamcity[" not in text
    # Every command can show it.
    for command in (["runs"], ["show", project.run().head.id], ["tests"]):
        done = project.flakefighters(*command)
        assert done.returncode == 0, done.stderr
        for hidden in "\x1b\r\x9b\u202e\u2066":
            assert hidden not in done.stdout
    from xml.etree import ElementTree

    ElementTree.parse(project.root / "report.xml")


SECRET = "Zq8-correct-horse-4711"
PLAIN = "battery/staple"
SECRETS = """
    import os
    import pytest

    SECRET = os.environ["SHOP_API_TOKEN"]

    @pytest.fixture
    def bad():
        raise OSError("setup " + SECRET)

    def test_call():
        local = SECRET
        raise ValueError(SECRET)
    def test_setup(bad): pass
    def test_skip(): pytest.skip("no " + SECRET)
    @pytest.mark.xfail(reason="as " + SECRET)
    def test_xfail(): assert 0
    @pytest.mark.parametrize("token", [SECRET, SECRET + "2"])
    def test_id(token): assert 0
    def test_output():
        print(SECRET, os.environ["LICENCE"])
        assert 0
    def test_kill():
        if "KILL" in os.environ:
            os._exit(1)
    """


def test_secrets_of_the_environment(project: Project) -> None:
    subtests = ""
    if int(pytest.__version__.partition(".")[0]) >= 9:
        subtests = """
    def test_sub(subtests):
        with subtests.test(SECRET, key=SECRET):
            assert 0
    """
    project.write(
        {
            "pytest.ini": f"[pytest]\nmarkers = x: {SECRET}\n",
            "test_it.py": SECRETS + subtests,
            "conftest.py": """
                def pytest_addoption(parser):
                    parser.addoption("--api-key")
                    parser.addini("env", "", type="linelist")
                def pytest_flakefighters_verdict(verdict):
                    assert "correct-horse" not in repr(verdict)
                """,
        }
    )
    # The second has a name that tells nothing.
    env = {"SHOP_API_TOKEN": SECRET, "LICENCE": PLAIN, "FLAKEFIGHTERS_SECRET_ENV": "LICENCE"}
    env["FLAKEFIGHTERS_PROFILES__LOCAL__STORE_OUTPUT"] = "failures"
    arguments = [
        f"--api-key={SECRET}",
        "-k",
        f"not {SECRET.replace('-', 'x')}",
        "-l",
        "-o",
        f"env=TOKEN={SECRET}",
    ]
    ended = project.pytest(*arguments, "--junitxml=report.xml", "--color=no", env=env, expect=1)
    assert ended.warnings == []
    # Two ids that differ in the secret alone stay two tests.
    run = project.run()
    assert len(set(run.suite)) == len(run.suite) == (9 if subtests else 8)
    assert "test_it.py::test_id[<secret>]" in run.suite
    (printed,) = [one.output for one in run.executions if one.output]
    assert printed == "--- Captured stdout call ---\n<secret> <secret>"
    project.pytest(*arguments, env={**env, "KILL": "1"}, expect=1)
    files = [project.database, *project.root.glob("flakefighters.db-*"), *project.spool]
    assert len(project.spool) == 1
    for path in files:
        data = path.read_bytes()
        assert SECRET.encode() not in data, path.name
        assert b"correct-horse" not in data, path.name
        assert b"staple" not in data, path.name
    bare = (project.root / "report.xml").read_text()
    for line in bare.split("<property "):
        if "flakefighters" in line.partition(">")[0]:
            assert SECRET not in line.partition(">")[0]
    done = project.flakefighters("show", run.head.id, "--tracebacks", "--json")
    assert done.returncode == 0
    assert "correct-horse" not in done.stdout


def test_passwords_of_databases(project: Project) -> None:
    """They are in no file and no line of ours, whatever becomes of the connection."""
    project.test("import os\ndef test_a(): pass\ndef test_b(): assert 0\n")
    url = "postgresql://ada:Pw-Topsecret-77@127.0.0.1:9/history"
    ended = project.pytest(
        "--color=no",
        "--flakefighters-verdicts",
        env={"FLAKEFIGHTERS_PROFILES__LOCAL__URL": url},
        expect=1,
    )
    assert "Topsecret" not in ended.out + ended.err
    assert len(ended.warnings) == 1
    ended = project.pytest(
        "--showlocals", "--full-trace", "--color=no", f"--database-url={url}", expect=1
    )
    assert "Topsecret" not in ended.out + ended.err
    for path in project.root.rglob("*"):
        if path.is_file():
            assert b"Topsecret" not in path.read_bytes(), path
    ended = project.pytest("--database-url=postgresql://ada:Pw-Topsecret-77@h:port/x", expect=4)
    assert "Topsecret" not in ended.out + ended.err
