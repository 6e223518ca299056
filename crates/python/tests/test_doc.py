"""The examples inside docstrings."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["rmt", "rmt._fpt", "rmt._ridge"])
def test_docstrings(name):
    if name == "rmt._ridge":
        pytest.importorskip("sklearn")
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
