"""What the code reads: data, templates, snapshots, and data that it does not read."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="data_files")
_shaky = partial(changes, topic="data_files", flaky_test="test_net.py::test_net")
JSON = code("""
    import json
    from pathlib import Path

    def tax(net):
        return net * json.loads((Path(__file__).parent / "rates.json").read_text())["vat"] // 100
    """)

_change(
    "a_data_file",
    "A JSON file differs that the code reads.",
    {
        "shop/tax.py": JSON,
        "shop/rates.json": '{"vat": 20}\n',
    },
    {
        "shop/rates.json": '{"vat": 7}\n',
    },
)
_change(
    "a_data_file_read_at_import",
    "The JSON file is read when the module is imported.",
    {
        "shop/tax.py": JSON.replace("def tax(net):\n    return net * ", "VAT = ").replace(
            " // 100", ""
        )
        + "\ndef tax(net):\n    return net * VAT // 100\n",
        "shop/rates.json": '{"vat": 20}\n',
    },
    {
        "shop/rates.json": '{"vat": 7}\n',
    },
)
_change(
    "a_template",
    "A template differs that the code fills in.",
    {
        "shop/tax.py": code("""
            from pathlib import Path

            def page():
                return (Path(__file__).parent / 'page.html').read_text().format(rate=20)
            """),
        "shop/page.html": "<b>{rate}</b>\n",
        "tests/test_tax.py": code("""
            from shop.tax import page

            def test_tax():
                assert page() == '<b>20</b>\\n'
            """),
    },
    {
        "shop/page.html": "<i>{rate}</i>\n",
    },
)
_change(
    "a_snapshot",
    "The expected text stands in a file beside the tests.",
    {
        "tests/expected.txt": "20",
        "tests/test_tax.py": code("""
            from pathlib import Path
            from shop.tax import tax

            def test_tax():
                assert str(tax(100)) == (Path(__file__).parent / 'expected.txt').read_text()
            """),
    },
    {
        "tests/expected.txt": "21",
    },
)
_change(
    "a_deleted_data_file",
    "A data file is gone.",
    {
        "shop/tax.py": JSON,
        "shop/rates.json": '{"vat": 20}\n',
    },
    {
        "shop/rates.json": None,
    },
)
_change(
    "a_renamed_data_file",
    "A data file was renamed.",
    {
        "shop/tax.py": JSON,
        "shop/rates.json": '{"vat": 20}\n',
    },
    {
        "shop/rates.json": None,
        "shop/vat.json": '{"vat": 20}\n',
    },
)
_change(
    "a_new_data_file",
    "The code lists a folder, and finds one file more.",
    {
        "shop/tax.py": code("""
            from pathlib import Path

            def tax(net):
                return sum(int(f.name) for f in (Path(__file__).parent / 'rates').iterdir())
            """),
        "shop/rates/20": "",
    },
    {
        "shop/rates/7": "",
    },
    or_undecided=True,
)
_change(
    "a_binary_data_file",
    "A binary file differs that the code reads.",
    {
        "shop/tax.py": code("""
            from pathlib import Path

            def tax(net):
                return (Path(__file__).parent / 'rate.bin').read_bytes()[-1]
            """),
        "shop/rate.bin": b"\0\xff\x14",
    },
    {
        "shop/rate.bin": b"\0\xff\x07",
    },
)
_change(
    "an_sql_script",
    "A schema file differs that sqlite3 runs.",
    {
        "shop/tax.py": code("""
        import sqlite3
        from pathlib import Path

        def tax(net):
            db = sqlite3.connect(":memory:")
            db.executescript((Path(__file__).parent / "schema.sql").read_text())
            value = db.execute("select rate from rates").fetchone()[0]
            db.close()
            return net * value // 100
        """),
        "shop/schema.sql": code("""
            create table rates (rate default 20);
            insert into rates default values;
            """),
    },
    {
        "shop/schema.sql": swap("default 20", "default 7"),
    },
)
_change(
    "a_database_file",
    "A database in the repository differs that C code opens.",
    {
        "shop/tax.py": code("""
            import ctypes
            from pathlib import Path

            def tax(net):
                libc = ctypes.CDLL(None)
                libc.fopen.restype = ctypes.c_void_p
                libc.fgetc.argtypes = [ctypes.c_void_p]
                file = libc.fopen(str(Path(__file__).parent / 'rate.bin').encode(), b'r')
                return libc.fgetc(file)
            """),
        "shop/rate.bin": b"\x14",
    },
    {
        "shop/rate.bin": b"\x07",
    },
    or_undecided=True,
)
_change(
    "a_data_file_cached_by_an_earlier_test",
    "Another test opened the data file and kept it.",
    {
        "shop/tax.py": code("""
            import functools
            import json
            from pathlib import Path

            @functools.cache
            def rate():
                return json.loads((Path(__file__).parent / "rates.json").read_text())["vat"]

            def tax(net):
                return net * rate() // 100
            """),
        "shop/rates.json": '{"vat": 20}\n',
        "tests/test_a.py": code("""
            from shop.tax import rate

            def test_first():
                assert rate()
            """),
    },
    {
        "shop/rates.json": '{"vat": 7}\n',
    },
    or_undecided=True,
)
_change(
    "a_data_file_opened_by_a_session_fixture",
    "A session fixture, set up by another test, opened it.",
    {
        "shop/rates.json": '{"vat": 20}\n',
        "tests/conftest.py": code("""
            import json
            import pytest

            @pytest.fixture(scope='session')
            def rates():
                with open('shop/rates.json') as file:
                    return json.load(file)
            """),
        "tests/test_a.py": "def test_first(rates):\n    assert rates\n",
        "tests/test_tax.py": code("""
            def test_tax(rates):
                assert rates['vat'] == 20
            """),
    },
    {
        "shop/rates.json": '{"vat": 7}\n',
    },
)
_change(
    "only_its_existence",
    "The code asks whether a file exists, and never opens it.",
    {
        "shop/tax.py": code("""
            from pathlib import Path

            def tax(net):
                return 7 if (Path(__file__).parent / 'low').exists() else 20
            """),
    },
    {
        "shop/low": "",
    },
    or_undecided=True,
)
_shaky(
    "another_data_file",
    "The test opens a data file, another one changed.",
    {
        "shop/net.json": '{"a": 1}\n',
        "shop/rates.json": '{"vat": 20}\n',
        "tests/test_net.py": code("""
            import json
            from shop.net import fetch

            def test_net():
                with open('shop/net.json') as file:
                    assert json.load(file)
                assert fetch() == 'ok'
            """),
    },
    {
        "shop/rates.json": '{"vat": 7}\n',
    },
)
