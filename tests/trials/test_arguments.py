"""Which arguments of pytest a trial keeps."""

from __future__ import annotations

import pytest

from flakefighters.trials.arguments import Known, kept

_SPELT: list[tuple[list[str], Known]] = [
    (["-k"], Known("keyword", True)),
    (["-m"], Known("markexpr", True)),
    (["-n", "--numprocesses"], Known("numprocesses", True)),
    (["-x", "--exitfirst"], Known("maxfail", False)),
    (["-v", "--verbose"], Known("verbose", False)),
    (["-p"], Known("plugins", True)),
    (["-o", "--override-ini"], Known("override_ini", True)),
    (["-W"], Known("pythonwarnings", True)),
    (["-s"], Known("capture", False)),
    (["--cov"], Known("cov_source", True)),
    (["--junit-xml", "--junitxml"], Known("xmlpath", True)),
    (["--tb"], Known("tbstyle", True)),
    (["--import-mode"], Known("importmode", True)),
    (["--lf", "--last-failed"], Known("lf", False)),
    (["--flakefighters-confirm=all"], Known("flakefighters_confirm", False)),
    (["--randomly-seed"], Known("randomly_seed", True)),
    (["--ds"], Known("ds", True)),
]
OPTIONS = {name: known for names, known in _SPELT for name in names}


@pytest.mark.parametrize(
    ("given", "kept_ones"),
    [
        ("tests tests/test_a.py::test_b", ""),
        ("-k tax -m slow -x --lf", ""),
        ("-n 4 --cov shop --cov=shop --junitxml=j.xml --junit-xml j.xml", ""),
        ("-n4 -kx", ""),
        ("--tb=short -W error -s", "--tb=short -W error -s"),
        ("-Werror -o xfail_strict=true", "-Werror -o xfail_strict=true"),
        ("-p xdist -p pytest_cov -p myplugin -pxdist", "-p myplugin"),
        ("-p no:cacheprovider", "-p no:cacheprovider"),
        ("--flakefighters-confirm=all --randomly-seed=1", ""),
        ("--ds settings tests", "--ds settings"),
        ("--import-m importlib x", "--import-m importlib"),
        ("--unknown=1 --also", "--unknown=1 --also"),
        ("-s -- -k x", "-s"),
    ],
)
def test_kept(given: str, kept_ones: str) -> None:
    assert kept(given.split(), OPTIONS) == kept_ones.split()
