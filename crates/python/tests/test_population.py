"""Population functions, against the command line."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import same

import rmt


def test_trajectories_and_equilibria_are_the_command_lines_to_the_last_bit(command_line):
    (line,) = command_line("population", "simulate", "--json")
    found = rmt.population.trajectory()
    assert same(dict(found), {k: v for k, v in line.items() if k != "notes"})
    (line,) = command_line("population", "equilibria", "--json")
    assert same(rmt.population.equilibria(), line["equilibria"])
    (line,) = command_line("population", "simulate", "--start", "5,1,1", "--until", "20", "--points", "5", "--json")
    times = (20 / 4) * np.arange(5)
    assert same(rmt.population.trajectory(initial_state=[5, 1, 1], times=times)["states"], line["states"])


def test_branches_and_closed_forms():
    given = rmt.example("population_continuation")
    found = rmt.population.continuation(
        given["parameter"],
        tuple(given["range"]),
        np.asarray(given["start_state"]),
        given["parameters"],
        direction=given["direction"],
    )
    assert len(found["special_points"]) > 0
    hopf = rmt.population.hopf(rmt.example("population_hopf")["parameters"])
    assert hopf["omega"] > 0


def test_a_fit_finds_the_rates_it_was_made_with():
    rates = {"alpha": 1.0, "beta": 0.5, "gamma": 0.8, "delta": 0.3}
    t = np.arange(0.0, 12.0)
    truth = rmt.population.trajectory(rates, [1.5, 1.0], t, model="lotka_volterra")
    fitted = rmt.population.fit(
        t,
        truth["states"],
        observed=["x", "y"],
        sigma=[0.05, 0.05],
        initial_guess={k: 1.2 * v for k, v in rates.items()},
        initial_state_guess=[1.0, 1.0],
        model="lotka_volterra",
    )
    for name, value in rates.items():
        assert fitted["parameters"][name] == pytest.approx(value, rel=1e-5)


def test_bad_inputs_are_named():
    with pytest.raises(rmt.Error, match="parameters"):
        rmt.population.trajectory({"r": -1.0})
    with pytest.raises(rmt.Error, match="times"):
        rmt.population.trajectory(times=[0.0, -1.0])
    with pytest.raises(rmt.Error):
        rmt.population.equilibria(model="nothing")
    with pytest.raises(rmt.Error, match="data"):
        rmt.population.fit(
            [0, 1], [1.0, 2.0], observed=["x"], sigma=[1], initial_guess={"r": 1}, initial_state_guess=[1, 1, 1]
        )
