"""The stubs: `mypy --strict` passes on the package and on an example, and tells wrong uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "typed.py"


def mypy(tmp_path: Path, *files: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_example_is_typed_and_runs(tmp_path):
    status, text = mypy(tmp_path, str(EXAMPLE))
    assert status == 0, text
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "invalid_input" in done.stdout or "unknown" in done.stdout


def test_wrong_uses_are_told(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import rmt\n"
        "rmt.predict(3)\n"
        "rmt.simulate('ridge', draws='many')\n"
        "rmt.CorrGCVRidge(alpha=1.0)\n"
        "rmt.nothing\n"
    )
    status, text = mypy(tmp_path, str(wrong))
    assert status == 1
    for line in (2, 3, 4, 5):
        assert f"wrong.py:{line}: error" in text, text


def test_the_package_itself_is_typed(tmp_path):
    import rmt

    package = Path(str(rmt.__file__)).parent
    status, text = mypy(tmp_path, str(package))
    assert status == 0, text
