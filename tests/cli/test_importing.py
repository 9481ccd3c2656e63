"""The command ``import``: reports of other tools become runs that prove nothing."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, Shop
from tests.postgres.server import shared_server

ROOT = Path(__file__).resolve().parents[2]
HEAD = '<?xml version="1.0" encoding="utf-8"?>'
PYTEST = f"""{HEAD}<testsuites name="pytest tests"><testsuite name="pytest" tests="4"
 timestamp="2026-01-02T03:04:05.000000+01:00">
<testcase classname="tests.test_pay.TestPay" name="test_pay[a.b]" time="0.5" />
<testcase classname="tests.test_pay" name="test_bad" time="0.1"><failure
 message="ValueError: no 12">def test_bad():
&gt;       raise ValueError("no 12")
E       ValueError: no 12

tests/test_pay.py:3: ValueError</failure></testcase>
<testcase classname="tests.test_pay" name="test_skip" time="0"><skipped type="pytest.skip"
 message="later">x</skipped></testcase>
<testcase classname="tests.test_pay" name="test_x" time="0"><skipped type="pytest.xfail"
 message="" /></testcase>
</testsuite></testsuites>"""
SUREFIRE = f"""{HEAD}<testsuite name="com.acme.PayTest" tests="2">
<properties><property name="java.version" value="21"/></properties>
<testcase classname="com.acme.PayTest" name="pays" time="1,234.5"><flakyFailure message="late"
 type="java.lang.AssertionError"><stackTrace>java.lang.AssertionError: late
	at org.junit.Assert.fail(Assert.java:1)
	at com.acme.PayTest.pays(PayTest.java:7)</stackTrace></flakyFailure></testcase>
<testcase classname="com.acme.PayTest" name="fails"><error message="x" type="java.io.IOException"
>at com.acme.PayTest.fails(PayTest.java:9)</error></testcase></testsuite>"""
JEST = f"""{HEAD}<testsuites name="jest tests"><testsuite name="pay"
 timestamp="2026-01-02T03:04:05">
<testcase classname="pay takes" name="pay takes" file="src/pay.test.js" time="0.01"><failure
>Error: no
    at Object.total (src/pay.js:3:9)
    at x (node_modules/jest/a.js:1:1)</failure></testcase></testsuite></testsuites>"""
GO = f"""{HEAD}<testsuites><testsuite name="github.com/acme/pay" timestamp="2026-01-02T03:04:05Z">
<properties><property name="go.version" value="go1.22"/></properties>
<testcase classname="github.com/acme/pay" name="TestPay/card" time="0.2"><failure message="Failed"
 type="">=== RUN   TestPay/card
    pay_test.go:12: got 1</failure></testcase></testsuite></testsuites>"""
NODE = f"""{HEAD}<testsuites><testsuite name="pay" time="0.01" tests="1" hostname="vm">
<testcase name="fails" time="0.006" classname="test" failure="1 == 2"><failure
 type="testCodeFailure" message="1 == 2">
Error [ERR_TEST_FAILURE]: 1 == 2
    at async Promise.all (index 0) {{
      at TestContext.&lt;anonymous> (/home/me/shop/node/a.test.js:2:91)
}}</failure></testcase></testsuite>
<testcase name="top" time="0.0002" classname="test"/></testsuites>"""
VITEST = f"""{HEAD}<testsuites name="vitest tests"><testsuite name="vit/v.test.js"
 timestamp="2026-11-28T13:08:08.529Z"><testcase classname="vit/v.test.js" name="pay &gt; fails"
 time="0.03"><failure message="expected 1 to be 2" type="AssertionError">
AssertionError: expected 1 to be 2

 &#10095; vit/v.test.js:2:94</failure></testcase></testsuite></testsuites>"""
FLAVOURS = {
    "pytest.xml": (PYTEST, "JUnit (pytest)", ".Fsx", "tests/test_pay.py::TestPay::test_pay[a.b]"),
    "TEST-a.xml": (SUREFIRE, "JUnit (Surefire)", "RF", "com.acme.PayTest::pays"),
    "jest.xml": (JEST, "JUnit (Jest)", "F", "src/pay.test.js::pay takes"),
    "node.xml": (NODE, "JUnit (Jest)", "F.", "test::top"),
    "vitest.xml": (VITEST, "JUnit", "F", "vit/v.test.js::pay > fails"),
    "go.xml": (GO, "JUnit (Go)", "F", "github.com/acme/pay::TestPay/card"),
}
BOMB = HEAD + '<!DOCTYPE a [<!ENTITY a "xx"><!ENTITY b "&a;&a;">]><testsuite name="&b;"/>'
OUTSIDE = HEAD + '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite>&a;</testsuite>'
HOSTILE = {
    "entities": BOMB.encode(),
    "external": OUTSIDE.encode(),
    "deep": b"<testsuite>" * 1000,
    "wide": b'<testsuite name="' + b"x" * 100_000_000 + b'"/>',
    "attribute": b'<testsuite name="' + b"x" * 2_000_000 + b'"/>',
    "other": b"<html/>",
    "cut": PYTEST[:300].encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("file", FLAVOURS)
def test_each_flavour(shop: Shop, command: Command, file: str) -> None:
    text, kind, outcomes, nodeid = FLAVOURS[file]
    (shop.path / file).write_text(text)
    made = command("import", "junit", file, "--json", "--commit", "ab" * 20).json
    (run,) = made["runs"]
    shown = command("show", run, "--json").json
    assert shown["origin"]["imported"] == kind
    assert (shown["trust"], shown["state"], shown["commit"]) == ("untrusted", None, "ab" * 20)
    assert kind in command("runs").out
    assert kind in command("show", run).out
    explained = command("explain", nodeid).out
    assert "imported" in explained
    again = command("import", "junit", file, "--json")
    assert (again.code, again.json["runs"], again.json["known"]) == (0, [], 1)
    assert made["tests"] == len(outcomes)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_and_the_rest_is_read(
    shop: Shop, command: Command, name: str
) -> None:
    folder = shop.path / "reports"
    folder.mkdir()
    (folder / "bad.xml").write_bytes(HOSTILE[name])
    (folder / "good.xml").write_text(PYTEST)
    said = command("import", "junit", "reports", "--json")
    assert said.code == 1
    assert len(said.json["runs"]) == 1
    assert list(said.json["refused"]) == ["reports/bad.xml"]


def test_archives_are_bounded_and_their_paths_not_trusted(shop: Shop, command: Command) -> None:
    with zipfile.ZipFile(shop.path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.xml", PYTEST)
        archive.writestr("/copy/of/it.xml", PYTEST)
        archive.writestr("bomb.xml", b"<a>" + b" " * 50_000_000)
    said = command("import", "junit", "a.zip", "--json")
    assert (said.code, len(said.json["runs"])) == (1, 1)
    assert ["bomb.xml" in name for name in said.json["refused"]] == [True]
    assert not (shop.path.parent.parent / "evil.xml").exists()


def test_a_touched_file_and_a_copy_are_the_same_run(shop: Shop, command: Command) -> None:
    for name in ("TEST-a.xml", "deep/TEST-b.xml"):
        path = shop.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SUREFIRE)
    assert len(command("import", "junit", "TEST-a.xml", "--json").json["runs"]) == 1
    os.utime(shop.path / "deep/TEST-b.xml", (10**9, 10**9))
    assert command("import", "junit", "deep", "--json").json["known"] == 1


def test_gradle_writes_a_file_for_each_class(shop: Shop, command: Command) -> None:
    plain = SUREFIRE.replace('<property name="java.version" value="21"/>', "")
    for folder in ("one", "two"):
        (shop.path / folder).mkdir()
        (shop.path / folder / "TEST-a.xml").write_text(plain)
    (shop.path / "two" / "TEST-b.xml").write_text(plain.replace("PayTest", "TaxTest"))
    said = command("import", "junit", "one", "two", "--json").json
    shown = [command("show", run, "--json").json for run in said["runs"]]
    assert sorted(one["tests"] for one in shown) == [2, 4]
    assert {one["origin"]["imported"] for one in shown} == {"JUnit (Surefire)"}


def test_a_dry_run_writes_nothing_and_usage_is_2(shop: Shop, command: Command) -> None:
    (shop.path / "pytest.xml").write_text(PYTEST)
    before = command("runs", "--json").out
    said = command("import", "junit", "pytest.xml", "--dry-run")
    assert (said.code, "would import 1 run" in said.out) == (0, True)
    assert command("runs", "--json").out == before
    assert command("import", "junit", "pytest.xml", "--commit", "main").code == 2
    assert command("import", "junit", "missing.xml").code == 1


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch unpickled",)


def test_the_peer_is_read_without_unpickling(shop: Shop, command: Command) -> None:
    path = shop.path / "peer.db"
    base = str(shop.path)
    with closing(sqlite3.connect(path)) as peer, peer:
        peer.executescript(
            "CREATE TABLE run (id INTEGER, start_time, created_at, root, commit_sha);"
            "CREATE TABLE test (id INTEGER, run_id, fspath, line_no, name, skipped);"
            "CREATE TABLE test_execution (id INTEGER, test_id, outcome, stdout, stderr, report,"
            " start_time, end_time, coverage);"
            "CREATE TABLE test_exception (id INTEGER, execution_id, name);"
            "CREATE TABLE traceback_entry (id INTEGER, exception_id, path, lineno, colno,"
            " statement, source);"
        )
        at = "2026-01-02 03:04:05.000000"
        peer.execute("INSERT INTO run VALUES (1, ?, ?, ?, ?)", (at, at, base, "cd" * 20))
        peer.execute("INSERT INTO test VALUES (1, 1, 'tests/t.py', 1, 'tests/t.py::test_a', 0)")
        for number, outcome in enumerate(("failed", "passed")):
            row = (number, outcome, "E   ValueError: no", at, at, pickle.dumps(_Evil()))
            peer.execute("INSERT INTO test_execution VALUES (?,1,?,'','',?,?,?,?)", row)
        peer.execute("INSERT INTO test_exception VALUES (1, 0, 'ValueError')")
        peer.execute("INSERT INTO test_exception VALUES (2, 0, 'its cause')")
        peer.execute(
            "INSERT INTO traceback_entry VALUES (1, 1, ?, 3, 0, 'raise', '')", (base + "/t.py",)
        )
    said = command("import", "pytest-flakefighters", "peer.db", "--json")
    assert (said.code, said.json["tests"]) == (0, 1), said.err
    shown = command("show", said.json["runs"][0], "--json").json
    assert [one["attempt"] for one in shown["executions"]] == [1, 2]
    assert (shown["commit"], shown["origin"]["imported"]) == ("cd" * 20, "pytest-flakefighters")
    assert not (shop.path / "unpickled").exists()
    assert command("import", "pytest-flakefighters", "peer.db", "--json").json["known"] == 1
    with closing(sqlite3.connect(shop.path / "peer.db", isolation_level=None)) as peer:
        peer.execute("PRAGMA journal_mode = WAL")
        later = "2026-02-02 03:04:05.000000"
        peer.execute("INSERT INTO run VALUES (2, ?, ?, ?, ?)", (later, later, base, "ef" * 20))
        peer.execute("INSERT INTO test VALUES (2, 2, 'tests/t.py', 1, 'tests/t.py::test_a', 0)")
        # Still in the log.
        [run] = command("import", "pytest-flakefighters", "peer.db", "--json").json["runs"]
    assert command("show", run, "--json").json["commit"] == "ef" * 20
    (shop.path / "no.db").write_text("no")
    assert command("import", "pytest-flakefighters", "no.db").code == 3


def test_a_failure_has_the_signature_that_it_has_in_a_run_of_ours(
    shop: Shop, command: Command, tmp_path: Path
) -> None:
    (shop.path / "test_it.py").write_text("def test_it():\n    value = 3\n    assert value == 4\n")
    url = f"sqlite:///{tmp_path / 'own.db'}"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--junit-xml=it.xml",
            "--flakefighters",
            "-p",
            "flakefighters.plugin",
            f"--flakefighters-database-url={url}",
        ],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        cwd=shop.path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    shown = command("show", "--json", "--database-url", url)
    assert shown.code == 0, shown.err + done.stdout
    ours = shown.json
    run = command("import", "junit", "it.xml", "--json").json["runs"][0]
    theirs = command("show", run, "--json").json
    assert _signatures(theirs) == _signatures(ours)
    assert "in test_it.py:test_it" in _signatures(ours)[0]


def _signatures(shown: Any) -> list[str]:
    return [one["signature"] for execution in shown["executions"] for one in execution["failures"]]


def test_into_a_shared_history(shop: Shop, command: Command) -> None:
    try:
        server = shared_server()
    except LookupError as error:
        pytest.skip(str(error))
    (shop.path / "go.xml").write_text(GO)
    name = server.create_database()
    url = f"postgresql://{server.user}:{server.password}@127.0.0.1:{server.port}/{name}"
    try:
        said = command("import", "junit", "go.xml", "--json", "--database-url", url)
        assert len(said.json["runs"]) == 1, said.err
        again = command("import", "junit", "go.xml", "--json", "--database-url", url)
        assert again.json["known"] == 1
    finally:
        server.drop_database(name)
