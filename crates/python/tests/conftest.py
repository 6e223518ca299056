"""Fixtures: the repository, its data, and the command line to compare with."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Figures are drawn without a screen.
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def _binary() -> Path | None:
    if "RMT_BINARY" in os.environ:
        return Path(os.environ["RMT_BINARY"])
    found = [ROOT / "target" / profile / "rmt" for profile in ("release", "debug")]
    return next((path for path in found if path.exists()), None)


@pytest.fixture(scope="session")
def command_line() -> Callable[..., Any]:
    """Runs `rmt` and reads its JSON; lists of objects for one object a line."""
    binary = _binary()
    if binary is None:
        pytest.skip("no `rmt` binary: build it (cargo build --release) or name it in RMT_BINARY")

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [str(binary), *arguments], capture_output=True, text=True, cwd=ROOT, timeout=300
        )
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "["))]

    return run


def same(ours: Any, theirs: Any) -> bool:
    """Whether a Python quantity is, to the last bit, what the command line wrote as JSON."""
    import numpy as np

    if isinstance(ours, np.ndarray):
        ours = ours.tolist()
    if isinstance(ours, complex):
        ours = [ours.real, ours.imag]
    if isinstance(theirs, str) and theirs in ("Infinity", "-Infinity"):
        return isinstance(ours, float) and ours == float(theirs.replace("Infinity", "inf"))
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and set(ours) == set(theirs) and all(
            same(ours[k], theirs[k]) for k in theirs
        )
    if isinstance(theirs, list):
        if len(theirs) == 0:
            return len(ours) == 0
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs))
    return bool(ours == theirs)
