"""What a process does: one activation in one way, in every type, size and pass."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from actgen.bench.naive import NAME, kernel, write_naive
from actgen.bench.record import Measured, Place
from actgen.bench.request import Request
from actgen.bench.runner import Function, Runner
from actgen.bench.turns import ratio, take_turns
from actgen.bench.ways import WAYS, Way
from actgen.numerics.kernel import OPERATIONS
from actgen.spec import load_spec
from actgen.verify.builtin import Native, find_native
from actgen.verify.measuring import hushed, load_module
from actgen.verify.plan import fingerprint

if TYPE_CHECKING:
    from actgen.spec import Activation

_ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}

_ROW = 2**10
"""How long a row of a gated or axis-wise input is."""


@dataclass(frozen=True)
class Task:
    """One activation in one way.

    Attributes:
        way: its name.
        spec: the spec's file.
        module: the generated module.
        request: types, sizes, passes and rounds.
    """

    way: str
    spec: Path
    module: Path
    request: Request


def run(task: Task) -> dict[Place, Measured]:
    """Measure."""
    way = WAYS[task.way]
    runner = _start(way.framework)
    activation = load_spec(task.spec)
    sources = [path for path in (task.module, task.module.with_suffix(".cpp")) if path.exists()]
    code = fingerprint(b"".join(path.read_bytes() for path in sources))
    found: dict[Place, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        native = find_native(activation, way.framework, task.spec)
        functions = _contestants(activation, way, task, native, Path(folder))
        group = _group(activation, functions)
        for dtype in task.request.dtypes:
            for size in task.request.sizes:
                for part in task.request.passes:
                    if way.is_fit and part != "training":
                        continue
                    runner.prepare()
                    x = runner.sample(_shape(activation.kind, size), dtype)
                    if native is not None:
                        _try(native, functions["builtin"], x)
                    seconds, kept = _measure(runner, functions, x, way, part == "training", task.request.rounds)
                    others = [name for name in seconds if name != "ours"]
                    found[Place(activation.name, way.name, dtype, size, part)] = Measured(
                        group,
                        code,
                        {name: _rounded(statistics.median(times)) for name, times in seconds.items()},
                        {name: _rounded(ratio(seconds["ours"], seconds[name])) for name in others},
                        {name: _rounded(count / size) for name, count in kept.items()},
                    )
    return found


def _shape(kind: str, size: int) -> tuple[int, ...]:
    """The shape of an input of so many numbers; rows where there is an axis."""
    if kind == "elementwise":
        return (size,)
    row = min(_ROW, size)
    return (size // row, row)


def _measure(
    runner: Runner, functions: Mapping[str, Function], x: Any, way: Way, is_training: bool, rounds: int
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Seconds a call and the bytes kept, by contestant."""
    calls: dict[str, Callable[[], object]] = {
        name: runner.runner(function, x, way.mode, is_training) for name, function in functions.items()
    }
    calls["copy"] = runner.copier(x, way.mode, is_training)
    kept = {}
    if is_training and way.mode == "eager":
        counts = {name: runner.kept_bytes(function, x) for name, function in functions.items()}
        kept = {name: count for name, count in counts.items() if count is not None}
    return take_turns(calls, rounds), kept


def _try(native: Native, function: Function, x: Any) -> None:
    """Run a built-in once, so that one that does not run is called by its name."""
    try:
        function(x)
    except Exception as error:
        raise native.complaint("eager", error) from error


def _contestants(
    activation: Activation, way: Way, task: Task, native: Native | None, folder: Path
) -> dict[str, Function]:
    """Ours, the built-in and the formula as typed, those that exist, each a function of one tensor."""
    functions: dict[str, Function] = {"ours": getattr(load_module(task.module), activation.name)}
    if native is not None:
        arguments = activation.builtins[way.framework].arguments
        functions["builtin"] = partial(native.own, **arguments)
    if activation.kind != "axiswise":
        naive: Function = getattr(load_module(write_naive(activation, way.framework, folder)), NAME)
        functions[NAME] = _of_halves(naive, way.framework) if activation.kind == "gated" else naive
    return functions


def _of_halves(function: Function, framework: str) -> Function:
    home = import_module({"torch": "torch", "jax": "jax.numpy", "keras": "keras.ops"}[framework])

    def halved(x: Any) -> Any:
        return function(*(home.chunk(x, 2, -1) if framework == "torch" else home.split(x, 2, -1)))

    return halved


def _group(activation: Activation, functions: Mapping[str, Function]) -> str:
    """Whether there is a built-in, and if so whether its formula calls anything that is not arithmetic."""
    if "builtin" not in functions:
        return "no built-in"
    if activation.kind == "axiswise":
        return "transcendental"
    ranks = {OPERATIONS[call.operation].rank for call in kernel(activation).calls()}
    return "transcendental" if "transcendental" in ranks else "cheap"


def _start(framework: str) -> Runner:
    """Import a framework, quietly; with as many threads as it takes by itself."""
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    with hushed() if framework == "keras" else nullcontext():
        return cast(Runner, import_module(f"actgen.bench.on_{framework}"))


def _rounded(number: float) -> float:
    """Four digits: no more are known."""
    return float(f"{number:.4g}") if math.isfinite(number) else number
