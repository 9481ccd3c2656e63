# `just` lists the tasks.  They call what .venv has: pip install -e '.[dev]'
# Elsewhere: `just python=/path/to/python lint`.

set windows-shell := ["powershell.exe", "-NoLogo", "-Command"]

python := if path_exists(".venv/bin/python") == "true" { ".venv/bin/python" } else { "python" }

# list the tasks
default:
    @just --justfile "{{ justfile() }}" --list --unsorted

# lint and layout
lint:
    {{ python }} -m ruff check
    {{ python }} -m ruff format --check

# put lint and layout right
fix:
    {{ python }} -m ruff check --fix
    {{ python }} -m ruff format

# types, strict
types:
    {{ python }} -m mypy

# the quick subset, or what is named: just quick tests/history
quick *arguments:
    {{ python }} -m pytest -n 3 -m "not slow" {{ arguments }}

# the whole suite
test *arguments:
    {{ python }} -m pytest -n 3 {{ arguments }}

# the whole suite on another Python, which uv fetches if need be: just test-on 3.14
test-on version *arguments:
    {{ python }} -m uv venv --allow-existing --seed --python {{ version }} .venv-{{ version }}
    {{ python }} -m uv pip install --quiet --python .venv-{{ version }} -e ".[test]"
    {{ python }} -m uv run --no-project --python .venv-{{ version }} python -m pytest -n 3 {{ arguments }}

# the whole suite on every Python that is supported
test-all: (test-on "3.11") (test-on "3.12") (test-on "3.13") (test-on "3.14")

# every hook of pre-commit on every file
hooks:
    {{ python }} -m pre_commit run --all-files

# the documentation as a site, warnings as errors
docs:
    {{ python }} -m sphinx -W --keep-going -n -c .site docs build/site

# ask for every address on the web that the documentation names
links:
    {{ python }} -m sphinx -b linkcheck -c .site docs build/links

# sdist and wheel, in dist/
build:
    {{ python }} -c "import shutil; shutil.rmtree('dist', ignore_errors=True)"
    {{ python }} -m build --no-isolation
    {{ python }} -m twine check --strict dist/*

# a benchmark of tests/benchmarks: just benchmark report
benchmark name *arguments:
    {{ python }} -m tests.benchmarks.{{ name }} {{ arguments }}

# may this tag be released? just release-check v0.1.0
release-check tag:
    {{ python }} .ci/release.py {{ tag }}

# pin the release's tools to their newest versions
pins:
    {{ python }} -m uv pip compile --python-platform linux --python-version 3.13 --upgrade --no-annotate \
      --quiet -o .github/release-requirements.txt .github/release-requirements.in
