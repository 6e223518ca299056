"""Tasks: what a population says about a model, and finite-size experiments beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _figures, _native
from ._arrays import numbers

Inputs = Mapping[str, Any]
Axis = Union[ArrayLike, Sequence[float]]


class Card:
    """What a task is: shown by ``rmt.explain``. Jupyter shows equations, inputs and results."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.name: str = record["name"]
        self.summary: str = record["summary"]
        #: Setting and equations in plain text.
        self.equations: str = record["equations"]
        #: The same as the body of a LaTeX ``align*``.
        self.latex: str = record["latex"]
        #: What to cite, one line each, and the BibTeX entries.
        self.references: list[str] = [r["text"] for r in record["references"]]
        self.bibtex: str = "\n\n".join(r["bibtex"] for r in record["references"])
        #: Meaning of every quantity, in printing order.
        self.observables: dict[str, str] = record["observables"]
        self.headline: list[str] = record["headline"]
        #: Complete inputs.
        self.example: dict[str, Any] = record["example"]
        #: JSON Schema of the inputs.
        self.schema: dict[str, Any] = record["schema"]
        self.simulates: bool = record["simulates"]

    @property
    def inputs(self) -> dict[str, str]:
        """Meaning of every input; those that must be given are marked with ``*``."""
        required = self.schema.get("required", [])
        properties = self.schema.get("properties", {})
        return {
            key + ("*" if key in required else ""): " ".join(p.get("description", "").split())
            for key, p in properties.items()
        }

    def __repr__(self) -> str:
        return f"<rmt.Card {self.name}: {self.summary}>"

    def __str__(self) -> str:
        def table(entries: dict[str, str]) -> str:
            width = max((len(k) for k in entries), default=0)
            return "\n".join(f"  {k:<{width}}  {v}" for k, v in entries.items())

        equations = "\n".join("  " + line for line in self.equations.splitlines())
        return (
            f"{self.name}: {self.summary}\n\n{equations}\n\nInputs\n{table(self.inputs)}\n\n"
            f"Results\n{table(self.observables)}\n\nSources\n"
            + "\n".join("  " + r for r in self.references)
        )

    def _repr_latex_(self) -> str:
        return "$$\\begin{aligned}\n" + self.latex + "\n\\end{aligned}$$"

    def _repr_markdown_(self) -> str:
        def table(head: str, entries: dict[str, str]) -> str:
            rows = "\n".join(f"| `{k}` | {v.replace('|', chr(92) + '|')} |" for k, v in entries.items())
            return f"| {head} | meaning |\n|---|---|\n{rows}"

        sources = "\n".join(f"- {r}" for r in self.references)
        return (
            f"**{self.name}**: {self.summary}\n\n{self._repr_latex_()}\n\n"
            f"{table('input', self.inputs)}\n\n{table('quantity', self.observables)}\n\n{sources}"
        )


class Models(dict[str, Card]):
    """Every task by name; shows what each answers."""

    def __repr__(self) -> str:
        width = max(len(name) for name in self)
        return "\n".join(f"{name:<{width}}  {card.summary}" for name, card in self.items())

    def _repr_markdown_(self) -> str:
        rows = "\n".join(
            f"| `{c.name}` | {'yes' if c.simulates else ''} | {c.summary} |" for c in self.values()
        )
        return f"| task | simulates | what it answers |\n|---|---|---|\n{rows}"


@cache
def _cards() -> Models:
    return Models({record["name"]: Card(record) for record in _native.cards()})


def models() -> Models:
    """Every task by name."""
    return Models(_cards())


def explain(model: str) -> Card:
    """Equations, inputs, results and sources of a task.

    Raises
    ------
    rmt.Error
        For an unknown task, with the nearest known one.
    """
    found = _cards().get(model)
    if found is None:
        _native.evaluate(model, [])  # raises, naming the nearest
        raise _native.Error(f"no task {model!r}")
    return found


def example(model: str) -> dict[str, Any]:
    """A fresh copy of complete, small inputs of a task, to start from."""
    copied: dict[str, Any] = json.loads(json.dumps(explain(model).example))
    return copied


def _gathered(model: str, inputs: Inputs | None, more: dict[str, Any]) -> dict[str, Any]:
    if inputs is not None and not isinstance(inputs, Mapping):
        raise _native.Error("inputs are a dictionary, or keywords")
    given = dict(inputs or {})
    for key, value in more.items():
        # `lambda` is a word of Python.
        key = key[:-1] if key.endswith("_") else key
        if key in given:
            raise _native.Error(f"{key}: given twice")
        given[key] = value
    if not given:
        given = example(model)
    return _native.prepared(model, given)


class Prediction(dict[str, Any]):
    """Quantities by name; lists are NumPy arrays, infinity is ``inf``.

    ``inputs`` are the inputs as the task took them, ``notes`` say how to read the numbers.
    """

    def __init__(self, task: str, inputs: dict[str, Any], values: dict[str, Any], notes: list[str]):
        super().__init__(values)
        self.task = task
        self.inputs = inputs
        self.notes = notes

    def __reduce__(self) -> Any:
        return (Prediction, (self.task, self.inputs, dict(self), self.notes))

    def to_frame(self) -> Any:
        """A row a quantity with its meaning (pandas)."""
        meaning = explain(self.task).observables
        frame = _figures.pandas().DataFrame(
            {"value": list(self.values()), "meaning": [meaning.get(k, "") for k in self]},
            index=list(self),
        )
        frame.index.name = "quantity"
        return frame

    def plot(self, show: str | Sequence[str] | None = None, ax: Any = None) -> Any:
        """Quantities that are lists, over the input list they belong to (matplotlib).

        Raises
        ------
        rmt.Error
            If no quantity shown is a list of numbers.
        """
        curves = _lists(self, _shown(self.task, self, show))
        if not curves:
            raise _native.Error("plot: no list among the quantities; rmt.sweep() draws curves over an input")
        length = len(next(iter(curves.values())))
        label, x = _abscissa(self.inputs, length)
        ax = _figures.axes(ax)
        for (name, y), colour in zip(curves.items(), _cycle()):
            if len(y) == length:
                ax.plot(x, y, color=colour, label=name)
        return _finish(ax, label, x, self.task)


def _cycle() -> Sequence[str]:
    return _figures.COLOURS * 8


def _shown(task: str, values: Mapping[str, Any], show: str | Sequence[str] | None) -> list[str]:
    if show is not None:
        names = [show] if isinstance(show, str) else list(show)
        for name in names:
            if name not in values:
                raise _native.Error(f"show: {name!r} is not among the results ({', '.join(values)})")
        return names
    headline = [name for name in explain(task).headline if name in values]
    return headline or list(values)


def _lists(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    def is_list(value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.ndim == 1 and value.size > 1

    return {n: values[n] for n in names if is_list(values[n]) and values[n].dtype.kind == "f"}


def _abscissa(inputs: dict[str, Any], length: int) -> tuple[str, Any]:
    for key, value in inputs.items():
        if (
            isinstance(value, list)
            and len(value) == length
            and all(isinstance(v, (int, float)) for v in value)
        ):
            return key, np.asarray(value, dtype=float)
    return "position", np.arange(1.0, length + 1)


def _finish(ax: Any, label: str, x: Any, title: str) -> Any:
    ax.set_xlabel(label)
    ax.set_title(title)
    if _figures.spans_decades(x):
        ax.set_xscale("log")
    ax.legend(frameon=False)
    return ax


def predict(model: str, inputs: Inputs | None = None, /, **more: Any) -> Prediction:
    """Every quantity of a task at these inputs.

    Parameters
    ----------
    model
        Name of the task, see :func:`models`.
    inputs, **more
        The inputs, see :func:`explain`, as a dictionary and/or keywords (``lambda_=`` for λ). Mode vectors
        may be plain arrays. Without any input: the task's example.

    Raises
    ------
    rmt.Error
        A ``ValueError`` with the library's text.
    """
    given = _gathered(model, inputs, more)
    outcome = _native.evaluate(model, [given])[0]
    if isinstance(outcome, _native.Error):
        raise outcome
    return Prediction(model, given, *outcome)


class Simulation(dict[str, Any]):
    """Means over finite-size draws by quantity.

    ``standard_error`` and ``draws`` hold the same names (``draws`` with the draw as first index), ``theory``
    is the prediction, ``z`` the distance in standard errors.
    """

    def __init__(self, theory: Prediction, draws: list[dict[str, Any]], seed: int):
        self.theory = theory
        self.seed = seed
        self.count = len(draws)
        self.draws: dict[str, NDArray[Any]] = {}
        self.standard_error: dict[str, Any] = {}
        self.z: dict[str, Any] = {}
        means: dict[str, Any] = {}
        for name in draws[0]:
            if any(name not in d for d in draws):
                continue
            values = [d[name] for d in draws]
            if not _numeric(values):
                continue
            stacked = np.stack([np.asarray(v) for v in values])
            # Sums in the order of the draws, as the command line has them.
            mean = sum(stacked[1:], start=stacked[0]) / len(draws)
            deviation = np.abs(stacked - mean)
            squares = deviation * deviation
            total = sum(squares[1:], start=squares[0])
            error = np.sqrt(total / (len(draws) - 1.0) / len(draws))
            self.draws[name] = stacked
            means[name] = _plain(mean)
            self.standard_error[name] = _plain(error)
            expected = theory.get(name)
            if expected is not None and np.shape(expected) == np.shape(mean):
                with np.errstate(all="ignore"):
                    self.z[name] = _plain((mean - expected) / error)
        super().__init__(means)

    def to_frame(self) -> Any:
        """A row a quantity: theory, mean, standard error, z (pandas)."""
        frame = _figures.pandas().DataFrame(
            {
                "theory": [self.theory.get(k) for k in self],
                "mean": list(self.values()),
                "standard_error": [self.standard_error[k] for k in self],
                "z": [self.z.get(k) for k in self],
            },
            index=list(self),
        )
        frame.index.name = "quantity"
        return frame

    def plot(self, show: str | Sequence[str] | None = None, ax: Any = None) -> Any:
        """Lists over the input list they belong to: theory as lines, means ± 2 standard errors as points."""
        ax = self.theory.plot(show, ax)
        names = _lists(self.theory, _shown(self.theory.task, self.theory, show))
        length = len(next(iter(names.values())))
        _, x = _abscissa(self.theory.inputs, length)
        for name, colour in zip(names, _cycle()):
            if name in self and len(self[name]) == length:
                spread = 2 * self.standard_error[name]
                ax.errorbar(x, self[name], spread, fmt="o", ms=3, color=colour, lw=1)
        return ax


def _numeric(values: list[Any]) -> bool:
    first = np.shape(values[0])
    return all(
        isinstance(v, (float, complex, np.ndarray)) and np.shape(v) == first for v in values
    )


def _plain(value: Any) -> Any:
    return value.item() if np.ndim(value) == 0 else value


def _check_draws(model: str, draws: int, seed: int) -> None:
    if not explain(model).simulates:
        raise _native.Error(f"{model!r} has no finite-size simulation; rmt.models() shows which tasks have")
    if draws < 2:
        raise _native.Error(f"draws: {draws}; give at least 2 for a standard error")
    if not 0 <= seed < 2**64:
        raise _native.Error(f"seed: {seed}; give a whole number from 0 to 2^64 - 1")


def simulate(
    model: str, inputs: Inputs | None = None, /, *, draws: int = 20, seed: int = 0, **more: Any
) -> Simulation:
    """Finite-size experiments beside the theory. Equal seeds give equal numbers on any number of threads;
    Ctrl-C ends it at once.

    Parameters are those of :func:`predict`, with the number of ``draws`` (at least 2) and a ``seed``.
    """
    _check_draws(model, draws, seed)
    theory = predict(model, inputs, **more)
    drawn = _native.draw(model, [theory.inputs], draws, seed)[0]
    return Simulation(theory, drawn, seed)


class Sweep:
    """Theory (and simulation) over one or two inputs.

    ``axes`` holds the values of each swept input; ``sweep["risk"]`` is the array of a quantity, one axis an
    input, NaN where a point has no answer (``errors`` says why). ``points`` are the predictions in order,
    ``simulations`` the experiments.
    """

    def __init__(
        self,
        task: str,
        axes: dict[str, NDArray[np.float64]],
        points: list[Prediction | None],
        errors: list[tuple[dict[str, float], _native.Error]],
        simulations: list[Simulation | None] | None,
    ):
        self.task = task
        self.axes = axes
        self.points = points
        self.errors = errors
        self.simulations = simulations

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(v) for v in self.axes.values())

    @property
    def names(self) -> list[str]:
        """Quantities that some point has."""
        return list(dict.fromkeys(name for p in self.points if p is not None for name in p))

    def __repr__(self) -> str:
        over = ", ".join(f"{k} ({len(v)} values)" for k, v in self.axes.items())
        return f"<rmt.Sweep of {self.task} over {over}: {', '.join(self.names)}>"

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.names:
            raise KeyError(f"{name!r} is not among the results ({', '.join(self.names)})")
        return self._gather([None if p is None else p.get(name) for p in self.points])

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def mean(self, name: str) -> NDArray[Any]:
        """Mean of the simulated quantity at every point."""
        return self._gather([None if s is None else s.get(name) for s in self._simulated()])

    def standard_error(self, name: str) -> NDArray[Any]:
        """Its standard error."""
        found = [None if s is None else s.standard_error.get(name) for s in self._simulated()]
        return self._gather(found)

    def _simulated(self) -> list[Simulation | None]:
        if self.simulations is None:
            raise _native.Error("the sweep was not simulated; give simulate=DRAWS")
        return self.simulations

    def _gather(self, values: list[Any]) -> NDArray[Any]:
        shapes = {np.shape(v) for v in values if v is not None}
        if len(shapes) != 1 or any(isinstance(v, (str, dict, list)) for v in values):
            found = np.empty(len(values), dtype=object)
            found[:] = values
            return found.reshape(self.shape)
        (shape,) = shapes
        filled = [np.full(shape, np.nan) if v is None else v for v in values]
        return np.asarray(filled).reshape(self.shape + shape)

    def to_frame(self) -> Any:
        """A row a point: the swept inputs, every single number, simulated means and errors (pandas)."""
        grid = np.meshgrid(*self.axes.values(), indexing="ij")
        columns: dict[str, Any] = {k: g.reshape(-1) for k, g in zip(self.axes, grid)}
        for name in self.names:
            values = self[name]
            if values.shape == self.shape and values.dtype != object:
                columns[name] = values.reshape(-1)
                if self.simulations is not None and any(s and name in s for s in self.simulations):
                    columns[name + "_simulated"] = self.mean(name).reshape(-1)
                    columns[name + "_standard_error"] = self.standard_error(name).reshape(-1)
        return _figures.pandas().DataFrame(columns)

    def plot(self, show: str | Sequence[str] | None = None, ax: Any = None) -> Any:
        """Curves over one input (means ± 2 standard errors as points), a map over two (matplotlib)."""
        first = next((p for p in self.points if p is not None), None)
        if first is None:
            raise _native.Error("plot: no point has an answer")
        shown = [n for n in _shown(self.task, {n: None for n in self.names}, show)]
        shown = [n for n in shown if self[n].shape == self.shape and self[n].dtype.kind == "f"]
        if not shown:
            raise _native.Error("plot: no single number among the quantities; name some with show=")
        ax = _figures.axes(ax)
        labels, grids = list(self.axes), list(self.axes.values())
        if len(grids) == 2:
            name = "risk" if "risk" in shown and show is None else shown[0]
            mesh = ax.pcolormesh(grids[1], grids[0], self[name], shading="nearest")
            ax.figure.colorbar(mesh, ax=ax, label=name)
            ax.set_ylabel(labels[0])
            if _figures.spans_decades(grids[0]):
                ax.set_yscale("log")
            if _figures.spans_decades(grids[1]):
                ax.set_xscale("log")
            ax.set_xlabel(labels[1])
            ax.set_title(self.task)
            return ax
        x = grids[0]
        for name, colour in zip(shown, _cycle()):
            ax.plot(x, np.where(np.isinf(self[name]), np.nan, self[name]), color=colour, label=name)
            if self.simulations is not None and any(s and name in s for s in self.simulations):
                spread = 2 * self.standard_error(name)
                ax.errorbar(x, self.mean(name), spread, fmt="o", ms=3, color=colour, lw=1)
        return _finish(ax, labels[0], x, self.task)


def sweep(
    model: str,
    inputs: Inputs | None = None,
    /,
    *,
    over: Mapping[str, Axis],
    simulate: int | None = None,
    seed: int = 0,
    **more: Any,
) -> Sweep:
    """A task over one or two inputs.

    Parameters
    ----------
    over
        Values of one or two inputs by their dotted names: ``{"n": np.geomspace(50, 800, 40)}``,
        ``{"spectrum.p,target.p": [100, 200]}`` for two that move together. Whole numbers are rounded where the
        task counts things.
    simulate
        Number of finite-size draws a point, at least 2.

    A point without an answer keeps its error in ``errors``; if no point has one, or the inputs themselves
    are wrong, that error is raised.
    """
    if not 1 <= len(over) <= 2:
        raise _native.Error(f"over: {len(over)} inputs; a curve sweeps one, a map two")
    if simulate is not None:
        _check_draws(model, simulate, seed)
    given = _gathered(model, inputs, more)
    axes: dict[str, NDArray[np.float64]] = {}
    # Positions are dictionaries of swept values beside the inputs there.
    places: list[tuple[dict[str, float], dict[str, Any]]] = [({}, given)]
    for label, values in over.items():
        keys = [key.strip() for key in label.split(",")]
        wanted = numbers(values, label)
        if not wanted:
            raise _native.Error(f"{label}: no values")
        extended: list[tuple[dict[str, float], dict[str, Any]]] = []
        for at, here in places:
            wanted, placed = _native.place(model, here, keys, wanted)
            extended += [({**at, label: x}, inputs) for x, inputs in zip(wanted, placed)]
        axes[label] = np.asarray(wanted)
        places = extended
    outcomes = _native.evaluate(model, [inputs for _, inputs in places])
    points: list[Prediction | None] = []
    errors: list[tuple[dict[str, float], _native.Error]] = []
    for (at, inputs), outcome in zip(places, outcomes):
        if isinstance(outcome, _native.Error):
            errors.append((at, outcome))
            points.append(None)
        else:
            points.append(Prediction(model, dict(inputs), *outcome))
    if errors:
        at, error = errors[0]
        if len(errors) == len(points) or error.kind in ("invalid_input", "unknown_key"):
            where = ", ".join(f"{k}={v:g}" for k, v in at.items())
            raised = _native.Error(f"at {where}: {error}")
            raised.kind, raised.key = error.kind, error.key
            raise raised
    simulations: list[Simulation | None] | None = None
    if simulate is not None:
        good = [p for p in points if p is not None]
        drawn = iter(_native.draw(model, [p.inputs for p in good], simulate, seed))
        simulations = [None if p is None else Simulation(p, next(drawn), seed) for p in points]
    return Sweep(model, axes, points, errors, simulations)
