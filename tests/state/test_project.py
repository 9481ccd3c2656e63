"""Names of projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.model import Project
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.state.git import Git
from flakefighters.state.project import canonical, identify


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/shop", "github.com/acme/shop"),
        ("https://github.com/acme/shop.git", "github.com/acme/shop"),
        ("https://github.com/acme/shop.git/", "github.com/acme/shop"),
        ("https://GitHub.com/Acme/Shop", "github.com/acme/shop"),
        ("https://me:pw@github.com/acme/shop", "github.com/acme/shop"),
        ("https://me:p@w@github.com/acme/shop", "github.com/acme/shop"),
        ("https://x-access-token:ghs_abc@github.com:443/acme/shop", "github.com/acme/shop"),
        ("https://github.com/acme/shop?token=abc#x", "github.com/acme/shop"),
        ("http://github.com//acme/./shop", "github.com/acme/shop"),
        ("git://github.com/acme/shop.git", "github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "github.com/acme/shop"),
        ("git@github.com:/acme/shop.git", "github.com/acme/shop"),
        ("github.com:acme/shop", "github.com/acme/shop"),
        ("ssh://git@github.com/acme/shop.git", "github.com/acme/shop"),
        ("ssh://git@github.com:22/acme/shop", "github.com/acme/shop"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "github.com/acme/shop"),
        ("git+ssh://git@github.com/acme/shop", "github.com/acme/shop"),
        ("github.com/acme/shop", "github.com/acme/shop"),
        ("https://www.github.com/acme/shop", "github.com/acme/shop"),
        ("https://github.com./acme/shop", "github.com/acme/shop"),
        ("ssh://git@git.corp:2222/team/group/shop.git", "git.corp/team/group/shop"),
        ("https://git.corp:8443/team/group/shop", "git.corp/team/group/shop"),
        ("git@[2001:db8::1]:acme/shop", "[2001:db8::1]/acme/shop"),
        ("ssh://git@[2001:db8::1]:22/acme/shop", "[2001:db8::1]/acme/shop"),
        ("work:acme/shop", "work/acme/shop"),
        ("https://git.example.org/acme/my%20shop", None),
        ("https://git.example.org/acme/caf%C3%A9", "git.example.org/acme/café"),
        ("git@ssh.dev.azure.com:v3/acme/store/shop", "dev.azure.com/acme/store/shop"),
        ("https://acme@dev.azure.com/acme/store/_git/shop", "dev.azure.com/acme/store/shop"),
        ("https://acme.visualstudio.com/store/_git/shop", "dev.azure.com/acme/store/shop"),
        (
            "https://acme.visualstudio.com/DefaultCollection/store/_git/shop",
            "dev.azure.com/acme/store/shop",
        ),
        # not a host
        ("", None),
        ("   ", None),
        ("/srv/git/shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("FILE://host/shop", None),
        ("../shop", None),
        ("~/shop", None),
        (r"C:\git\shop", None),
        ("C:/git/shop", None),
        (r"\\server\share\shop", None),
        ("shop", None),
        ("shop.bundle", None),
        ("acme/shop", None),
        # hostile
        ("ext::sh -c 'touch /tmp/x'", None),
        ("https://", None),
        ("https:///acme/shop", None),
        ("https://github.com", None),
        ("https://github.com/", None),
        ("https://github.com/.git", None),
        ("https://github.com/../../etc/passwd", None),
        ("https://github.com/%2e%2e/shop", None),
        ("https://github.com/acme/shop\nevil", None),
        ("https://github.com/acme/shop%0Aevil", None),
        ("https://github.com/acme/\u202epohs", None),
        ("https://github.com/acme/\x1b[31mshop", None),
        ("https://github.com/acme/%00", None),
        ("https://-oProxyCommand=x/acme/shop", None),
        ("-oProxyCommand=x:acme/shop", None),
        ("https://github.com:pw/acme/shop", None),
        ("https://" + "a" * 5000 + "/acme/shop", None),
    ],
)
def test_canonical(url: str, name: str | None) -> None:
    assert canonical(url) == name


def project(
    remotes: dict[str, str],
    base: Path = Path("/disk/shop"),
    prefix: str = "",
    configured: str | None = None,
    ci: str | None = None,
) -> Project:
    checkout = Checkout(base=base, prefix=prefix, remotes=remotes, _git=Git(base))
    return identify(checkout, Anchor(path=base / prefix), configured, ci, lambda: "random")


HUB = "https://github.com/"


@pytest.mark.parametrize(
    ("remotes", "prefix", "configured", "ci", "identity"),
    [
        ({"origin": HUB + "me/shop"}, "", None, None, "github.com/me/shop"),
        (
            {"origin": HUB + "me/shop", "upstream": HUB + "acme/shop"},
            "",
            None,
            None,
            "github.com/acme/shop",
        ),
        ({"zeta": HUB + "z/shop", "beta": HUB + "b/shop"}, "", None, None, "github.com/b/shop"),
        ({"origin": HUB + "me/shop"}, "", None, HUB + "acme/shop.git", "github.com/acme/shop"),
        ({"origin": HUB + "me/shop"}, "", None, "???", "github.com/me/shop"),
        ({"origin": HUB + "me/shop"}, "", "  The Shop ", HUB + "x/y", "The Shop"),
        ({"origin": HUB + "me/shop"}, "", " ", None, "github.com/me/shop"),
        ({"origin": HUB + "me/shop"}, "Libs/tax", None, None, "github.com/me/shop//Libs/tax"),
        ({"origin": HUB + "me/shop"}, "libs/tax", "tax", None, "tax"),
        ({"origin": "ext::sh -c x"}, "libs", None, None, "random"),
        ({}, "", None, None, "random"),
    ],
)
def test_identify(
    remotes: dict[str, str], prefix: str, configured: str | None, ci: str | None, identity: str
) -> None:
    assert project(remotes, prefix=prefix, configured=configured, ci=ci).identity == identity


def test_labels() -> None:
    assert project({}).label == "shop"
    assert project({}, prefix="libs/tax").label == "tax"
    assert project({"origin": HUB + "Me/Shop"}).label == "github.com/me/shop"
    assert project({"origin": "/srv/git/Shop.git"}).label == "Shop"
    assert str(project({}, base=Path("/a/\x1b[31mred"))) == "[31mred"


def test_a_folder_as_remote() -> None:
    """Equal places are equal projects, and the place itself is told to nobody."""
    spellings = [
        "/srv/git/shop.git",
        "/srv/git/shop",
        "/srv/git/shop/.git",
        "file:///srv/git/shop.git",
        "file://localhost/srv/git/shop",
        "../../../srv/git/shop",
    ]
    names = {project({"origin": url}).identity.rpartition("/")[0] for url in spellings}
    assert len(names) == 1
    assert "srv" not in names.pop()
    assert (
        project({"origin": "/srv/git/shop"}).identity
        != project({"origin": "/srv/git/other"}).identity
    )
    assert project({"origin": "/srv/git/shop"}, prefix="libs").identity.endswith("//libs")


def test_configured_names_are_one_printable_line() -> None:
    assert (
        project({}, configured="a\nb\x1b\ud800c" + "d" * 999).identity
        == (("a b c" + "d" * 999)[:500])
    )


def test_a_configured_address_shows_no_password() -> None:
    for address in ("https://me:hunter2@github.com/acme/shop.git", "git@github.com:acme/shop.git"):
        assert project({}, configured=address).identity == "github.com/acme/shop"
    assert "hunter2" not in project({}, configured="odd://me:hunter2@[/shop").identity
