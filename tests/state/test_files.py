"""Files that differ."""

from __future__ import annotations

from flakefighters.model import Change, ChangeKind
from flakefighters.state.files import differing


def test_differing() -> None:
    old = {"same.py": "1", "gone.py": "1", "moved.json": "1", "b.py": "1"}
    new = {"same.py": "1", "new.json": "1", "b.py": "2", "docs/x.md": "3"}
    assert differing(old, new) == (
        Change(kind=ChangeKind.FILE, path="b.py", how="changed"),
        Change(kind=ChangeKind.DATA, path="docs/x.md", how="added"),
        Change(kind=ChangeKind.FILE, path="gone.py", how="removed"),
        Change(kind=ChangeKind.DATA, path="moved.json", how="removed"),
        Change(kind=ChangeKind.DATA, path="new.json", how="added"),
    )
    assert differing(new, new) == ()
