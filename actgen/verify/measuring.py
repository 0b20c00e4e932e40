"""What a worker process does: one activation in one framework, in every mode and type, each recorded at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from actgen.build.digest import digest
from actgen.numerics.contract import FORMATS
from actgen.numerics.samples import slack
from actgen.spec import Activation, load_spec
from actgen.symbolic import Order
from actgen.verify.batch import Batch, Framework, Refused, Results
from actgen.verify.builtin import Native, find_native, run_native
from actgen.verify.finding import Finding, find
from actgen.verify.gated import PairSubject, measure
from actgen.verify.record import Cell, Entry, quantity_name
from actgen.verify.rows import RowSubject, measure_rows
from actgen.verify.state import Store
from actgen.verify.subject import Piece, Subject
from actgen.verify.support import supported

# One thread each: several frameworks run side by side.
_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}


@dataclass(frozen=True)
class Task:
    """One activation in one framework.

    Attributes:
        framework: its name.
        spec: the spec's file.
        module: the generated module.
        keys: what is to be measured, and under which key each result is kept; by mode and type.
        orders: of the derivatives by the input.
        state: the folder of results.
    """

    framework: str
    spec: Path
    module: Path
    keys: Mapping[tuple[str, str], str]
    orders: tuple[int, ...]
    state: Path


@dataclass(frozen=True)
class Sample(Task):
    """All numbers of half types, a sample of the others, at several values of the parameters.

    Attributes:
        points: how many floats of float32 and float64.
    """

    points: int


def run(task: Sample) -> None:
    """Measure and record; derivatives by parameters are of order 1."""
    framework = start(task.framework)
    store = Store(task.state)
    activation = load_spec(task.spec)
    function = find_ours(task, activation.name, store)
    if function is None:
        return
    if activation.kind == "axiswise":
        _run_rows(task, framework, activation, function, store)
        return
    if activation.kind == "gated":
        _run_gated(task, framework, activation, function, store)
        return
    subject = Subject(task.spec, task.points)
    builtin = find_native(subject.activation, task.framework, task.spec)
    for mode in dict.fromkeys(mode for mode, _ in task.keys):
        dtypes = [dtype for m, dtype in task.keys if m == mode]
        # A graph costs torch.compile seconds, whatever is in it.
        is_costly = (task.framework, mode) == ("torch", "compiled")
        for group in [dtypes] if is_costly else [[dtype] for dtype in dtypes]:
            framework.prepare()
            for dtype, entry in _measure(task, framework, subject, function, builtin, mode, group):
                store.write(task.keys[mode, dtype], entry)


def _run_rows(
    task: Sample, framework: Framework, activation: Activation, function: Callable[..., Any], store: Store
) -> None:
    subject, builtin = RowSubject(activation), find_native(activation, task.framework, task.spec)
    for mode, dtype in task.keys:
        framework.prepare()
        entry = measure_rows(task.framework, subject, function, builtin, mode, dtype, task.orders)
        store.write(task.keys[mode, dtype], entry)


def _run_gated(
    task: Sample, framework: Framework, activation: Activation, function: Callable[..., Any], store: Store
) -> None:
    subject = PairSubject(activation, task.points)
    builtin = find_native(activation, task.framework, task.spec)
    tensors = [p.name for p in activation.parameters if p.trainable or task.framework != "keras"]
    for mode in dict.fromkeys(mode for mode, _ in task.keys):
        orders = supported(task.orders, task.framework, mode)
        for dtype in [dtype for m, dtype in task.keys if m == mode]:
            framework.prepare()
            for _, entry in measure(framework, subject, function, builtin, mode, [dtype], orders, tensors):
                store.write(task.keys[mode, dtype], entry)


def start(name: str) -> Framework:
    """Import a framework, quiet and with one thread."""
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    with hushed() if name == "keras" else nullcontext():
        return cast(Framework, import_module(f"actgen.verify.on_{name}"))


@contextmanager
def hushed() -> Iterator[None]:
    """TensorFlow greets on standard error before it has read how much it is to say."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def find_ours(task: Task, name: str, store: Store) -> Callable[..., Any] | None:
    """The generated function; where there is none, each result is the error that says why."""
    try:
        return cast(Callable[..., Any], getattr(load_module(task.module), name))
    except Exception as error:
        for key in task.keys.values():
            store.write(key, Entry.of_failure(error))
        return None


def load_module(path: Path) -> Any:
    """A generated module, wherever it lies; what it imports of its neighbours is found beside it."""
    folder, out = path.parent, path.parent.parent
    root = f"actgen_verify_{digest(str(out.resolve()).encode())[:8]}"
    for name, place in ((root, out), (f"{root}.{folder.name}", folder)):
        sys.modules.setdefault(name, ModuleType(name)).__path__ = [str(place)]
    name = f"{root}.{folder.name}.{path.stem}"
    specification = util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = util.module_from_spec(specification)
    sys.modules[name] = module  # where Dynamo looks for it
    specification.loader.exec_module(module)
    return module


def _measure(
    task: Sample,
    framework: Framework,
    subject: Subject,
    function: Callable[..., Any],
    builtin: Native | None,
    mode: str,
    dtypes: list[str],
) -> Iterator[tuple[str, Entry]]:
    orders = subject.by_input(supported(task.orders, task.framework, mode))
    tensors = tuple(
        parameter.name
        for parameter in subject.activation.parameters
        if parameter in subject.activation.variables
        if 1 in task.orders and (parameter.trainable or task.framework != "keras")
    )
    plain = [subject.at_defaults(dtype, orders) for dtype in dtypes]
    varied = [subject.at_settings(dtype, orders, tensors) for dtype in dtypes]
    calls = [[batch, *(call for call, _ in others)] for batch, others in zip(plain, varied, strict=True)]
    ours = run_ours(framework, function, [batch for group in calls for batch in group], mode)
    if isinstance(ours, Entry):
        yield from ((dtype, ours) for dtype in dtypes)
        return
    theirs = run_native(framework, builtin, plain, mode)
    answers = iter(ours)
    for i, dtype in enumerate(dtypes):
        first, *rest = (next(answers) for _ in calls[i])
        cells: dict[tuple[str, str], Cell] = {}
        for order in orders:
            other = theirs[i].get(order)
            batch = plain[i]
            cells[quantity_name(order, subject.variable), ""] = Cell(
                _find(subject, order, batch, 0, slice(None), first[order]),
                None if other is None else _find(subject, order, batch, 0, slice(None), other),
            )
        for (batch, pieces), results in zip(varied[i], rest, strict=True):
            _merge(cells, subject, batch, pieces, results)
        yield dtype, Entry(cells)
        subject.forget(dtype)


def run_ours(
    framework: Framework, function: Callable[..., Any], batches: Sequence[Batch], mode: str
) -> list[Results] | Entry:
    """The results of generated code; or, whatever error it raises, the entry that says so."""
    try:
        return list(framework.evaluate(function, batches, mode))
    except Refused as refusal:
        return Entry.of_failure(refusal.__cause__ or refusal)
    except Exception as error:
        return Entry.of_failure(error)


def _merge(
    cells: dict[tuple[str, str], Cell], subject: Subject, batch: Batch, pieces: list[Piece], results: Results
) -> None:
    for piece in pieces:
        for order in piece.orders:
            found = _find(subject, order, batch, piece.setting, piece.part, results[order])
            key = quantity_name(order, subject.variable), "sampled" if piece.setting else ""
            cell = Cell(found, None)
            cells[key] = cells[key].worse(cell) if key in cells else cell


def _find(subject: Subject, order: Order, batch: Batch, setting: int, part: slice, results: Any) -> Finding:
    points = batch.points[part]
    return find(
        points,
        results[part],
        subject.exact(order, batch.dtype, setting, points),
        subject.truth(order, batch.dtype, setting).slope,
        FORMATS[batch.dtype],
        slack=slack(subject.settings[setting], subject.settings[0]),
        asks_nan=subject.reads_input(order),
        setting=subject.describe(setting),
    )
