"""Whether a function writes files at places that its text fixes."""

from __future__ import annotations

import ast
import textwrap

import pytest

from flakefighters.reach.file_writes import writes_files


def of(body: str, parameters: str) -> bool:
    text = f"def f({parameters}):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return writes_files(node)


@pytest.mark.parametrize(
    "body",
    [
        "Path('rate.tmp').write_text('7')",
        "(HERE / 'rate.tmp').unlink(missing_ok=True)",
        "path = HERE / 'rate.tmp'\npath.touch()",
        "open('rate.tmp', 'w').close()",
        "with open(FILE, mode='ab') as file: file.write(b'7')",
        "with Path(FILE).open('w') as file: pass",
        "os.remove('rate.tmp')",
        "shutil.copy(found, os.path.join(HERE, 'rate.tmp'))",
    ],
)
def test_it_does(body: str) -> None:
    assert of(body, "found")


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ("Path('rate.tmp').read_text()", ""),
        ("open('rate.tmp')", ""),
        ("open('rate.tmp', 'rb')", ""),
        ("path.write_text('7')", "path"),
        ("other = path / 'x'\nother.write_text('7')", "path"),
        ("open(path, 'w')", "path"),
        ("Path('rate.tmp').write_text('7')", "tmp_path"),
        ("Path('rate.tmp').write_text('7')", "my_tmpdir"),
        ("monkeypatch.chdir(found)\nPath('rate.tmp').write_text('7')", "monkeypatch"),
        ("with runner.isolated_filesystem():\n    open('rate.tmp', 'w')", "runner"),
        ("for path in found():\n    path.unlink()", ""),
        ("with made() as path:\n    open(path, 'w')", ""),
        ("made('rate.tmp').write_text('7')", ""),
        ("shutil.copy('rate.tmp', path)", "path"),
        ("os.path.exists('rate.tmp')", ""),
    ],
)
def test_it_does_not(body: str, parameters: str) -> None:
    assert not of(body, parameters)
