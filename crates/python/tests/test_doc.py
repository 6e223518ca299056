"""The examples inside docstrings and in the book."""

from __future__ import annotations

import doctest
import importlib
import re

import pytest


@pytest.mark.parametrize("name", ["rmt", "rmt._fpt", "rmt._ridge"])
def test_docstrings(name):
    if name == "rmt._ridge":
        pytest.importorskip("sklearn")
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_book(root, monkeypatch):
    """The blocks of the book's chapter run in order."""
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    text = (root / "book/src/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks
    monkeypatch.chdir(root)
    exec(compile("".join(blocks), "book/src/python.md", "exec"), {})
