"""What pytest and plugins keep on a test item, as far as it matters when the item is run again.

Most of it is private to pytest; ``session.reruns`` lives with all that goes wrong here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Fresh", "Parents", "handled", "rest"]


def handled(item: Any) -> bool:
    """Whether another plugin that is at work runs this test again."""
    option, marked = item.config.option, item.get_closest_marker("flaky") is not None
    if hasattr(option, "force_reruns"):  # pytest-rerunfailures
        asked = [option.force_reruns, option.reruns]
        if marked or asked != [None, None] or item.config.getini("reruns"):
            return True
    if hasattr(option, "force_flaky"):  # flaky
        owners = (item, getattr(item, "obj", None), getattr(item, "cls", None))
        if option.force_flaky or any(hasattr(one, "_flaky_max_runs") for one in owners):
            return True
    return hasattr(option, "retry_delay") and marked  # pytest-retry marks what it retries


class Parents:
    """Stands for a next test that shares all of a test's collectors."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def listchain(self) -> list[Any]:
        return list(self._item.listchain()[:-1])


def rest(whole: Callable[[Any], None], nextitem: Any, first: BaseException) -> None:
    """Tear down what is wider after the test's own teardown failed for good."""
    try:
        whole(nextitem)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise BaseExceptionGroup("errors during test teardown", [first, error]) from None


class Fresh:
    """What pytest and tests leave on an item, as it was before the first attempt."""

    def __init__(self, item: Any) -> None:
        self._properties = list(item.user_properties)
        self._sections = list(getattr(item, "_report_sections", ()))
        example = getattr(getattr(item, "dtest", None), "globs", None)
        self._instance: Any = None
        self._globals = dict(example) if isinstance(example, dict) else None

    def keep(self, item: Any) -> None:
        """Note what an attempt has made, before it is torn down."""
        self._instance = vars(item).get("_instance", self._instance)

    def restore(self, item: Any) -> None:
        item.user_properties[:] = self._properties
        item._report_sections[:] = self._sections
        if self._globals is not None:
            item.dtest.globs.clear()  # names that the last attempt left, if it failed
            item.dtest.globs.update(self._globals)  # doctest empties them where it passes
        if getattr(item, "cls", None) is not None:
            # The method is bound to the instance: both are made anew on demand.
            vars(item).pop("_instance", None)
            item._obj = None
            function = getattr(item.cls, getattr(item, "originalname", ""), None)
            if getattr(function, "is_hypothesis_test", False) and self._instance is not None:
                item._instance = self._instance  # hypothesis fails a test that meets another one
        vars(item).pop("_excinfo", None)  # of unittest
        _forget_subtests(item)


def _forget_subtests(item: Any) -> None:
    """pytest fails a test by the count of its failed subtests."""
    try:
        from _pytest.subtests import failed_subtests_key
    except ImportError:  # pytest 8
        return
    counts: Any = item.config.stash.get(failed_subtests_key, {})
    for name in (getattr(item, "id", None), item.nodeid):
        counts.pop(name, None)
