"""Who owns a file: the examples of GitHub's documentation, and what people write besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.state.codeowners import owners, owners_in

FILE = """
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
/build/logs/ @doctocat
docs/*  docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/github
/apps/vendor/**/test_*.py @vendor
!not/*.py @nobody
[Section]
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("setup.py", "@global-owner1 @global-owner2"),
        ("web/app.js", "@js-owner"),
        ("build/logs/a/b.txt", "@octocat"),
        ("other/build/logs2/x", "@global-owner1 @global-owner2"),
        ("build/other", "@global-owner1 @global-owner2"),
        ("docs/getting.md", "@doctocat"),
        ("docs/build/app/trouble.md", "@doctocat"),
        ("src/docs/a.md", "@global-owner1 @global-owner2"),
        ("apps/a/b.py", "@octocat"),
        ("src/apps/b.py", "@octocat"),
        ("scripts/x.sh", "@doctocat @octocat"),
        ("deep/logs/x", "@octocat"),
        ("apps/github/x.py", ""),
        ("apps/vendor/test_a.py", "@vendor"),
        ("apps/vendor/b/c/test_a.py", "@vendor"),
        ("apps/vendor/b/a.py", "@octocat"),
        ("not/a.py", "@global-owner1 @global-owner2"),
    ],
)
def test_patterns(path: str, expected: str) -> None:
    assert owners_in(FILE, path) == expected


def test_a_star_stays_in_its_folder() -> None:
    text = "docs/* @docs\n"
    assert owners_in(text, "docs/a.md") == "@docs"
    assert owners_in(text, "docs/a/b.md") == ""


def test_places(tmp_path: Path) -> None:
    assert owners(tmp_path, "t.py") == ""
    for place, owner in (("docs/CODEOWNERS", "@docs"), (".github/CODEOWNERS", "@github")):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text(f"* {owner}\n")
        assert owners(tmp_path, "t.py") == owner
    (tmp_path / ".github/CODEOWNERS").write_bytes(b"* \xff@odd\n[x](\n")
    assert owners(tmp_path, "t.py") == "\N{REPLACEMENT CHARACTER}@odd"
