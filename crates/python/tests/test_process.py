"""What a process sees: Ctrl-C, other threads, the time an import takes."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import rmt


def _start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


LONG = {
    "simulation": "rmt.simulate('ridge', big, draws=100000)",
    "sweep": "rmt.sweep('ridge', big, over={'lambda': [0.01, 0.1, 1.0]}, simulate=30000)",
    "regression": (
        "rmt.CorrGCVRidge(also=['blocked', 'loo']).fit("
        "np.random.default_rng(0).normal(size=(3000, 3000)), np.ones((3000, 3000)).cumsum(0))"
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("work", LONG.values(), ids=LONG.keys())
def test_ctrl_c_ends_long_work_at_once(work):
    if "CorrGCVRidge" in work:
        pytest.importorskip("sklearn")
    process = _start(
        f"""
        import numpy as np, rmt
        if 'CorrGCV' in {work!r}: rmt.CorrGCVRidge
        big = {{**rmt.example('ridge'), 'n': 300, 'spectrum': np.ones(300), 'target': np.ones(300)}}
        rmt.predict('ridge')
        print('ready')
        try:
            {work}
            print('finished')
        except KeyboardInterrupt:
            print('interrupted')
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
    time.sleep(1.0)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    answer = process.stdout.readline()
    waited = time.monotonic() - before
    process.kill()
    process.wait()
    assert answer == "interrupted\n", process.stderr and process.stderr.read()
    # Looked at every 50 ms; the rest is room for a busy machine.
    assert waited < 2.0, waited


def test_other_threads_run_while_a_solve_does():
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.002)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.monotonic()
    rmt.simulate("ridge", draws=200)
    elapsed = time.monotonic() - start
    done.set()
    thread.join()
    # A held interpreter lock would leave a tick or two.
    assert ticks > min(20, 0.05 * elapsed / 0.002), (ticks, elapsed)


def test_importing_is_lazy():
    program = """
        import sys
        import rmt
        print([m for m in ('numpy', 'sklearn', 'pandas', 'matplotlib') if m in sys.modules])
        """
    process = _start(program)
    out, err = process.communicate(timeout=60)
    assert out.strip() == "[]", err


def test_equal_seeds_give_equal_numbers_from_two_threads_at_once():
    found: list[float] = []

    def work() -> None:
        found.append(rmt.simulate("ridge", draws=3, seed=5)["risk"])

    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert found[0] == found[1]
