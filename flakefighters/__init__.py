"""Tells flaky test failures from genuine ones inside pytest, and remembers every run."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
