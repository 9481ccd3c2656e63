"""What is known of files, libraries and programs that matter otherwise than by an import."""

from __future__ import annotations

import collections.abc
import re
import typing
from typing import Final

__all__ = [
    "COMPILED_SOURCES",
    "COMPILERS",
    "ENVIRONMENT",
    "FILE_WRITERS",
    "HARMLESS",
    "IN_TYPING_AND_COLLECTIONS",
    "LOOKING_AT_FILES",
    "METADATA",
    "OPENED_IN_C",
    "PLACES",
    "REFLECTION",
    "RUNNING_CODE",
    "STEERING",
    "WRITING_MODES",
]

#: Sources of extension modules: a change shows only when they are built again.
COMPILED_SOURCES: Final = (
    *(".c", ".cc", ".cpp", ".cu", ".cxx", ".f", ".f90", ".h", ".hpp", ".pxd", ".pyx", ".rs"),
    *("Cargo.lock", "Cargo.toml", "CMakeLists.txt", "meson.build", "setup.py"),
)
#: Calls that leave files behind, and the modes of ``open`` that do.
FILE_WRITERS: Final = frozenset(
    {
        *("copy", "copyfile", "copytree", "dump", "mkdir", "makedirs", "move", "rename", "replace"),
        *("savetxt", "symlink", "symlink_to", "to_csv", "touch", "unlink", "write_bytes"),
        *("write_text", "rmtree", "remove"),
    }
)
WRITING_MODES: Final = frozenset({"w", "wb", "a", "ab", "x", "xb", "wt", "at", "r+", "w+", "a+"})
#: Modules that compile functions which are marked for it, so that they run unseen.
COMPILERS: Final = frozenset({"codon", "numba", "pythran", "taichi", "triton"})
#: Files that decide how tests are started, and with which variables.
STEERING: Final = re.compile(
    r"(?:.*/)?(?:tox\.ini|noxfile\.py|Makefile|justfile|Justfile|Taskfile\.ya?ml|\.env[\w.]*"
    r"|docker-compose[\w.-]*\.ya?ml|Dockerfile[\w.-]*|\.gitlab-ci\.ya?ml|azure-pipelines\.ya?ml"
    r"|bitbucket-pipelines\.ya?ml|\.travis\.ya?ml|appveyor\.ya?ml|Jenkinsfile|hatch\.toml"
    r"|pyproject\.toml|setup\.cfg|pixi\.toml|conda[\w.-]*\.ya?ml|environment\.ya?ml"
    r"|\.github/(?:workflows|actions)/.*|\.circleci/.*|\.buildkite/.*|\.woodpecker/.*|\.envrc)"
)
#: Modules that open files without telling Python, with the endings of what they open.
OPENED_IN_C: Final = {
    "lxml": (".xml", ".xsd", ".xsl", ".xslt", ".html", ".xhtml", ".svg", ".rng", ".dtd", ".kml"),
    "_ssl": (".pem", ".crt", ".cer", ".key", ".p12", ".pfx", ".der", ".ca"),
    "sqlite3": (".db", ".sqlite", ".sqlite3", ".db3", ".gpkg", ".mbtiles"),
    "h5py": (".h5", ".hdf5", ".hdf"),
    "tables": (".h5", ".hdf5", ".hdf"),
    "netCDF4": (".nc", ".nc4", ".cdf"),
    "pyarrow": (".parquet", ".feather", ".arrow", ".orc", ".csv", ".json"),
    "polars": (".parquet", ".feather", ".arrow", ".csv", ".json", ".ndjson"),
    "duckdb": (".parquet", ".csv", ".json", ".duckdb", ".db"),
    "cv2": (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".mp4", ".avi"),
    "osgeo": (".tif", ".tiff", ".shp", ".gpkg", ".vrt", ".geojson"),
    "rasterio": (".tif", ".tiff", ".vrt"),
    "fiona": (".shp", ".gpkg", ".geojson"),
    "soundfile": (".wav", ".flac", ".ogg"),
    "ctypes": (".so", ".dll", ".dylib"),
    "mypy": (".py", ".pyi"),
}
#: ``typing`` has these from ``collections.abc``.
IN_TYPING_AND_COLLECTIONS: Final = frozenset(collections.abc.__all__) & frozenset(typing.__all__)
#: Programs that run no code of the project and read none of its files.
HARMLESS: Final = frozenset(
    {
        *("cc", "clang", "gcc", "id", "ldconfig", "locale", "lsb_release", "objdump"),
        *("stty", "tput", "uname", "which"),
    }
)
#: How programs are called that run what they find in files.
RUNNING_CODE: Final = ("bash", "make", "node", "py", "sh")
#: Names by which code asks for variables of the environment.
ENVIRONMENT: Final = frozenset({"environ", "environb", "getenv", "getenvb"})
#: What tells of installed distributions: versions, entry points.
METADATA: Final = (("importlib", "metadata"), ("importlib_metadata",), ("pkg_resources",))
#: Names by which code looks at files without opening them, and at code without running it.
LOOKING_AT_FILES: Final = frozenset(
    {
        *("exists", "getmtime", "getsize", "glob", "is_dir", "is_file", "isdir", "isfile", "iglob"),
        *("iterdir", "listdir", "lstat", "rglob", "scandir", "stat", "walk"),
        # Or at what C code opens.
        *("CDLL", "PyDLL", "load_cert_chain", "load_verify_locations"),
    }
)
REFLECTION: Final = frozenset(
    {
        *("__annotations__", "__dict__", "__doc__", "__members__", "dir", "find_spec", "getdoc"),
        *("getmembers", "getsource", "getsourcelines", "signature", "vars", "ast", "tokenize"),
    }
)
#: Settings that say where a run ran, not how: another job alone is no change of behaviour.
PLACES: Final = frozenset({"ci"})
