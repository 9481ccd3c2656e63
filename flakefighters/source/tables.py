"""What is known of Python and its libraries: one table for each question.

Whatever a table does not list is taken to be the harmful case.
"""

from __future__ import annotations

import sys
from typing import Final

__all__ = [
    "ANNOTATIONS",
    "ANNOTATION_READERS",
    "BASES",
    "BUILDERS",
    "CACHING_DECORATORS",
    "CALLED_WITHOUT_LOOKING",
    "CALLING_THE_SECOND",
    "COMPUTING",
    "DECORATORS",
    "DICTIONARIES",
    "DOC_READERS",
    "IDLE_DUNDERS",
    "IMPORTING_CALLS",
    "METHODS_OF_VALUES",
    "MUTATORS",
    "NAME_TAKING",
    "OPAQUE_IMPORTERS",
    "PROCESS_WIDE",
    "PURE_IMPORTS",
    "ROOTS",
    "SET_UPS",
    "SPECIAL_METHODS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Calls that only build a value, by the last part of their name.
BUILDERS: Final = _words(
    """
    Decimal Fraction NamedTuple NewType ParamSpec Path PurePath PurePosixPath TypeVar
    TypeVarTuple TypedDict Enum IntEnum StrEnum Flag attrgetter bool bytes cast chain
    complex compile count date datetime defaultdict deque dict enumerate field float
    frozenset getLogger int itemgetter join len list lstrip lower max methodcaller min
    namedtuple object partial range replace repr reversed round rstrip set slice
    sorted split splitlines str strip sum time timedelta timezone tuple upper zip
    version MappingProxyType OrderedDict Counter UUID ZoneInfo dedent format getattr isinstance
    issubclass hasattr type abs ord chr hex property mark param
    decode encode endswith getenv items keys maketrans startswith title translate values
    """
)
#: Of these any object may be asked: they are what texts, tables and the like have.
METHODS_OF_VALUES: Final = _words(
    """
    count decode encode endswith format fromkeys items join keys lower lstrip maketrans
    replace rstrip split splitlines startswith strip title translate upper values
    """
)
#: Modules and their usual aliases, of which the names above are what they say.
ROOTS: Final = frozenset(sys.stdlib_module_names) | _words(
    "attr attrs dc dt ft hypothesis itertools mock np pd pytest st t te typing_extensions"
)
#: Decorators that hand back a function or class that does the same, and register it nowhere.
DECORATORS: Final = _words(
    """
    abstractmethod asynccontextmanager cache cached_property classmethod
    contextmanager dataclass deleter final fixture getter lru_cache no_type_check
    overload override property runtime_checkable setter staticmethod total_ordering
    unique wraps skip skipIf skipUnless expectedFailure given settings example
    parametrize usefixtures xfail skipif define frozen mutable attrs patch
    """
)
#: Decorators by which results are kept.
CACHING_DECORATORS: Final = _words("cache cached cached_property lru_cache memoize")
#: Bases that keep no list of their subclasses, and read nothing of them but what is run.
BASES: Final = _words(
    """
    ABC Enum Flag Generic IntEnum IntFlag NamedTuple Protocol
    StrEnum IsolatedAsyncioTestCase TestCase Thread TypedDict dict float int list
    object set str tuple bytes type
    Callable Collection Container Generator Hashable Iterable Iterator Mapping
    MutableMapping MutableSequence MutableSet Sequence Set Sized
    """
)
#: Of the standard library, and what is well known to do nothing when it is imported.
PURE_IMPORTS: Final = (frozenset(sys.stdlib_module_names) - {"antigravity", "this"}) | _words(
    "attr attrs dateutil markupsafe packaging pytest pytz six tomli typing_extensions yaml zoneinfo"
)
#: Libraries that turn docstrings into behaviour: help texts, grammars, schemas.
DOC_READERS: Final = _words(
    """
    apispec asyncclick cleo click cmd cyclopts docopt fastapi fastmcp fire flasgger flask_restx
    flask_smorest graphene invoke jsonargparse litestar mcp msgspec ninja plac ply pydantic
    rest_framework rich_click simple_parsing sqlmodel strawberry tap typer
    """
)
#: Libraries that read the annotations of functions even where Python does not evaluate them.
ANNOTATION_READERS: Final = _words(
    """
    beartype cyclopts dependency_injector fastapi hypothesis injector litestar ninja pydantic
    strawberry typeguard typer
    """
)

#: How code reaches names that its text does not show: any name, one of its own module, one in a
#: text that it runs.
COMPUTING: Final = {
    "__import__": "any",
    "import_module": "any",
    "import_string": "any",
    "resolve_name": "any",
    "eval": "text",
    "exec": "text",
    "globals": "own",
    "locals": "own",
}
#: What shows the annotations of functions.
ANNOTATIONS: Final = _words(
    "__annotations__ get_type_hints get_annotations getfullargspec signature"
)
#: Methods that code names only to call that of a certain class: ``Shop.__init__(self)``.
SPECIAL_METHODS: Final = frozenset(
    f"__{name}__"
    for name in _words(
        """
        call contains copy deepcopy delattr delitem enter eq exit format ge getattr getattribute
        getitem getstate gt hash init init_subclass iter le len lt missing ne new next reduce
        reduce_ex repr setattr setitem setstate str
        """
    )
)
#: What gives all members of an object.
DICTIONARIES: Final = _words("__dict__ dir getmembers getmembers_static vars")
#: Calls that take a name: at which argument, by the last part of their own name.
NAME_TAKING: Final = {
    "getattr": 1,
    "hasattr": 1,
    "attrgetter": 0,
    "methodcaller": 0,
    "delattr": 1,
    "setattr": 1,
    "patch": 0,
    "object": 1,
    "multiple": 0,
    "import_module": 0,
    "__import__": 0,
    "import_string": 0,
    "resolve_name": 0,
    "getfixturevalue": 0,
    "importorskip": 0,
    "run_module": 0,
}
#: Calls that import a module by its name.
IMPORTING_CALLS: Final = frozenset({"__import__", "import_module", "importorskip", "run_module"})
#: Calls that import what their text does not show, with a clause on the file that has them.
OPAQUE_IMPORTERS: Final = {
    "run_path": "runs a file by its path",
    "spec_from_file_location": "imports a file by its path",
    "SourceFileLoader": "imports a file by its path",
    "walk_packages": "imports what it finds in a package",
    "iter_modules": "imports what it finds in a package",
    "entry_points": "loads entry points",
    "iter_entry_points": "loads entry points",
}
#: Calls that look at a class or function handed to them otherwise than by its parameters.
CALLED_WITHOUT_LOOKING: Final = _words(
    "callable cast getattr hasattr id isinstance issubclass raises repr str super type warns"
)
CALLING_THE_SECOND: Final = _words("cast raises warns")

#: Methods that alter the object that they belong to.
MUTATORS: Final = _words(
    """
    add append appendleft clear delete discard difference_update extend extendleft insert
    intersection_update pop popitem popleft push put register remove reset reverse rotate set
    setdefault setattr setenv sort store subscribe symmetric_difference_update unregister update
    write configure connect disconnect bind install uninstall patch
    """
)
#: What the whole process has once: altering it may affect all that runs later.
PROCESS_WIDE: Final = _words(
    """
    asyncio.set_event_loop asyncio.set_event_loop_policy decimal.setcontext decimal.getcontext
    importlib.reload locale.setlocale logging.basicConfig logging.config.dictConfig
    logging.disable os.chdir os.environ os.putenv os.umask os.unsetenv random.seed
    signal.signal socket.setdefaulttimeout sys.meta_path sys.modules sys.path sys.path_hooks
    sys.setrecursionlimit time.tzset
    builtins mimetypes.add_type atexit.register threading.settrace sys.settrace faulthandler.enable
    """
)

#: Beginnings of the names of module-level things that prepare tests.
SET_UPS: Final = ("asyncSetUp", "asyncTearDown", "setUp", "setup_", "tearDown", "teardown_")
#: Special methods that code asks for only by running them.  What is not among them matters by
#: being there: ``__getitem__`` makes an object iterable, ``__contains__`` changes what ``in`` does.
IDLE_DUNDERS: Final = frozenset(
    f"__{name}__"
    for name in _words(
        """
        format repr str lt le gt ge add radd sub mul truediv floordiv mod pow and or xor neg abs
        """
    )
)
