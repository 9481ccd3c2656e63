"""Code that a library reaches: loaded by computed names, read from classes, there or not."""

from __future__ import annotations

from tests.scenarios.builder import BASE, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine

#: A framework: settings, middleware and URLs are found by the names in other texts.
_WEB = code("""
    import importlib
    import os

    settings = None
    receivers = []
    apps = {}

    def receiver(function):
        receivers.append(function.__name__)
        return function

    def load(path):
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)

    class App:
        def ready(self):
            pass

    def setup():
        global settings
        settings = importlib.import_module(os.environ["WEB_SETTINGS"])
        for path in settings.INSTALLED:
            app = load(path)()
            app.ready()
            apps[app.name] = app

    class Config(dict):
        def from_object(self, path):
            found = load(path)
            self.update({key: getattr(found, key) for key in dir(found) if key.isupper()})

    def get(address):
        routes = importlib.import_module(settings.ROUTES).routes
        answer = {"body": routes[address]()}
        for path in settings.MIDDLEWARE:
            answer = load(path)(answer)
        return answer
    """)
_PLUGIN = code("""
    import pytest
    import weblib

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(early_config):
        weblib.setup()
    """)
_SITE = {
    "conf.py": code("""
        ROUTES = "shop.routes"
        MIDDLEWARE = ["shop.middle.stamp"]
        INSTALLED = ["shop.apps.Shop"]
        """),
    "shop/routes.py": "from shop.tax import tax\n\nroutes = {'/tax': lambda: tax(100)}\n",
    "shop/middle.py": "def stamp(answer):\n    return {**answer, 'stamp': 'yes'}\n",
    "shop/apps.py": code("""
        from weblib import App

        class Shop(App):
            name = "shop"

            def ready(self):
                self.rate = 20
                from shop import signals
        """),
    "shop/signals.py": "import weblib\n\n@weblib.receiver\ndef saved():\n    pass\n",
    "shop/defaults.py": code("""
        class Base:
            RATE = 20

        class Production(Base):
            DEBUG = False
        """),
    "tests/test_web.py": code("""
        import weblib

        def test_stamp():
            assert weblib.get("/tax")["stamp"] == "yes"

        def test_body():
            assert weblib.get("/tax")["body"] == 20

        def test_ready():
            assert weblib.apps["shop"].rate == 20

        def test_receivers():
            assert "saved" in weblib.receivers

        def test_config():
            config = weblib.Config()
            config.from_object("shop.defaults.Production")
            assert config["RATE"] == 20
        """),
}


def _framework(repo: Repository) -> None:
    repo.site("weblib", "1.0", {"weblib.py": _WEB, "pytest_weblib.py": _PLUGIN})
    repo.env["WEB_SETTINGS"] = "conf"
    repo.options += ["-p", "pytest_weblib"]
    repo.start(_SITE)


@genuine("test_web.py::test_stamp")
def the_settings_of_a_framework(repo: Repository) -> Result:
    """A framework imports the settings by a name from the environment, before conftest files."""
    _framework(repo)
    repo.commit({"conf.py": swap('["shop.middle.stamp"]', "[]")})
    return repo.run()


@genuine("test_web.py::test_stamp")
def the_middleware_of_a_framework(repo: Repository) -> Result:
    """A function that the framework finds by its dotted path in the settings."""
    _framework(repo)
    repo.commit({"shop/middle.py": swap("'yes'", "'no'")})
    return repo.run()


@genuine("test_web.py::test_body")
def the_routes_of_a_framework(repo: Repository) -> Result:
    """The table of URLs is read from a module whose name stands in the settings."""
    _framework(repo)
    repo.commit({"shop/routes.py": swap("tax(100)", "tax(200)")})
    return repo.run()


@genuine("test_web.py::test_ready")
def a_framework_that_calls_ready(repo: Repository) -> Result:
    """The changed method ran when a plugin set the framework up, before the first test."""
    _framework(repo)
    repo.commit({"shop/apps.py": swap("self.rate = 20", "self.rate = 7")})
    return repo.run()


@genuine("test_web.py::test_receivers", or_undecided=True)
def a_receiver_that_an_app_imports(repo: Repository) -> Result:
    """A module of which only the import matters, by an app that the framework loaded."""
    _framework(repo)
    repo.commit({"shop/signals.py": swap("@weblib.receiver\n", "")})
    return repo.run()


@genuine("test_web.py::test_config")
def an_object_that_a_framework_reads(repo: Repository) -> Result:
    """``from_object`` reads the constants of a class, and of its base, by ``dir``."""
    _framework(repo)
    repo.commit({"shop/defaults.py": swap("RATE = 20", "RATE = 7")})
    return repo.run()


@flaky(or_undecided=True)
def a_setting_and_a_test_without_the_framework(repo: Repository) -> Result:
    """A setting differs; the test uses no framework, though another one of its file does."""
    repo.site("weblib", "1.0", {"weblib.py": _WEB, "pytest_weblib.py": _PLUGIN})
    repo.env["WEB_SETTINGS"] = "conf"
    repo.options += ["-p", "pytest_weblib"]
    web = "\n\ndef test_web():\n    assert weblib.get('/tax')\n"
    test = f"import weblib\n\n{BASE['tests/test_net.py']}{web}"
    repo.start({**_SITE, "tests/test_net.py": test})
    repo.commit({"conf.py": swap("INSTALLED", "PAGE_SIZE = 7\nINSTALLED")})
    return repo.run(trouble=True)


@flaky()
def a_framework_and_an_unrelated_function(repo: Repository) -> Result:
    """The framework runs beside; a function differs that neither it nor the test calls."""
    _framework(repo)
    repo.commit({"shop/text.py": swap("text.title()", "str(text).title()")})
    return repo.run(trouble=True)


#: A library whose base classes read what stands in a subclass.
_SCHEMA = code("""
    class _Reader(type):
        def __init__(cls, name, bases, members):
            super().__init__(name, bases, members)
            cls.options = {
                key: getattr(members.get("Meta"), key)
                for key in dir(members.get("Meta"))
                if not key.startswith("_")
            }
            cls.fields = {k: v for k, v in members.items() if isinstance(v, Field)}

    class Field:
        def __init__(self, default=None):
            self.default = default

    class Schema(metaclass=_Reader):
        def load(self, data):
            known = {k: data.get(k, f.default) for k, f in self.fields.items()}
            return known if self.options.get("strict") else {**data, **known}

    class Registry:
        known = []

        def __init_subclass__(cls, **options):
            Registry.known.append((cls.__name__, options, getattr(cls, "Config", None)))

    def describe(kind):
        return sorted(k for k in vars(kind) if not k.startswith("_"))
    """)
_FORM = code("""
    from schemalib import Field, Registry, Schema

    class Form(Schema):
        net = Field(100)

        class Meta:
            strict = True

    class Model(Registry, table="tax"):
        class Config:
            rate = 20
    """)
_TEST_FORM = code("""
    import schemalib
    from shop.form import Form, Model

    def test_load():
        assert Form().load({"net": 1, "other": 2}) == {"net": 1}

    def test_default():
        assert Form().load({}) == {"net": 100}

    def test_config():
        assert schemalib.Registry.known[0][2].rate == 20

    def test_options():
        assert schemalib.Registry.known[0][1] == {"table": "tax"}

    def test_fields():
        assert schemalib.describe(Form) == ["Meta", "fields", "net", "options"]
    """)


def _schemas(repo: Repository, old: str, new: str) -> Result:
    repo.site("schemalib", "1.0", {"schemalib.py": _SCHEMA})
    repo.start({"shop/form.py": _FORM, "tests/test_form.py": _TEST_FORM})
    repo.commit({"shop/form.py": swap(old, new)})
    return repo.run()


@genuine("test_form.py::test_load")
def a_meta_class_that_a_base_reads(repo: Repository) -> Result:
    """The nested class Meta is read by the metaclass of a library, as with Django's models."""
    return _schemas(repo, "strict = True", "strict = False")


@genuine("test_form.py::test_default")
def a_field_that_a_base_collects(repo: Repository) -> Result:
    """A field of a declarative class has another default."""
    return _schemas(repo, "Field(100)", "Field(7)")


@genuine("test_form.py::test_config")
def a_config_class_that_a_base_keeps(repo: Repository) -> Result:
    """The nested class Config is kept by ``__init_subclass__``, as with pydantic."""
    return _schemas(repo, "rate = 20", "rate = 7")


@genuine("test_form.py::test_options")
def keywords_of_a_class_that_a_base_keeps(repo: Repository) -> Result:
    """The keywords of the class statement go to a library's ``__init_subclass__``."""
    return _schemas(repo, 'table="tax"', 'table="vat"')


@genuine("test_form.py::test_fields")
def a_new_field_that_a_base_collects(repo: Repository) -> Result:
    """The class has a field more, which a library lists."""
    return _schemas(repo, "net = Field(100)", "net = Field(100)\n    gross = Field(0)")


@flaky()
def a_meta_class_of_another_form(repo: Repository) -> Result:
    """Meta differs in a class that the failing test does not use."""
    repo.site("schemalib", "1.0", {"schemalib.py": _SCHEMA})
    repo.start({"shop/form.py": _FORM, "tests/test_form.py": _TEST_FORM})
    repo.commit({"shop/form.py": swap("strict = True", "strict = 1")})
    return repo.run(trouble=True)


@genuine("test_base.py::test_x")
def a_meta_class_that_a_base_of_the_project_reads(repo: Repository) -> Result:
    """The base that reads the nested class by computed names is the project's own."""
    repo.start(
        {
            "shop/base.py": code("""
                class Base:
                    def load(self):
                        return getattr(getattr(type(self), "Me" + "ta"), "un" + "known")
                """),
            "shop/form.py": code("""
                from shop.base import Base

                class Form(Base):
                    class Meta:
                        unknown = 1
                """),
            "tests/test_base.py": (
                "from shop.form import Form\n\ndef test_x():\n    assert Form().load() == 1\n"
            ),
        }
    )
    repo.commit({"shop/form.py": swap("unknown = 1", "unknown = 2")})
    return repo.run()


#: What another class has, it is; (name of the method, its code, the test)
_PRESENT = {
    "getitem": (
        "def __getitem__(self, i):\n        raise IndexError",
        "with pytest.raises(TypeError):\n        iter(Account())",
    ),
    "contains": (
        "def __contains__(self, one):\n        return True",
        "assert not isinstance(Account(), Container)",
    ),
    "iter": (
        "def __iter__(self):\n        return iter(())",
        "assert not isinstance(Account(), Iterable)",
    ),
    "float": (
        "def __float__(self):\n        return 1.0",
        "assert not isinstance(Account(), SupportsFloat)",
    ),
    "enter": (
        "def __enter__(self):\n        return self\n    def __exit__(self, *e):\n        pass",
        "assert not isinstance(Account(), AbstractContextManager)",
    ),
    "call": ("def __call__(self):\n        pass", "assert not callable(Account())"),
    "eq": ("def __eq__(self, other):\n        return False", "assert hash(Account())"),
    "len": ("def __len__(self):\n        return 0", "assert Account()"),
    "pay": (
        "def pay(self):\n        pass",
        "with pytest.raises(AttributeError):\n        Mock(spec=Account).pay",
    ),
}
_TEST_ACCOUNT = code("""
    from collections.abc import Container, Iterable
    from contextlib import AbstractContextManager
    from typing import SupportsFloat
    from unittest.mock import Mock

    import pytest

    from shop.account import Account

    def test_account():
        {check}
    """)


def _present(repo: Repository, name: str) -> Result:
    method, check = _PRESENT[name]
    account = "class Account:\n    def name(self):\n        return 1\n"
    repo.start(
        {"shop/account.py": account, "tests/test_account.py": _TEST_ACCOUNT.format(check=check)}
    )
    repo.commit({"shop/account.py": f"{account}    {method}\n"})
    return repo.run()


def _add_present(name: str) -> None:
    def play(repo: Repository) -> Result:
        return _present(repo, name)

    play.__name__ = f"a_method_by_being_there_{name}"
    play.__doc__ = f"A class has a method {name} more; nothing runs it, but the class is another."
    genuine("test_account.py::test_account")(play)


for _name in _PRESENT:
    _add_present(_name)
