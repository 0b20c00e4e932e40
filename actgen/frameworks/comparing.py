"""A framework's own functions beside ours, in one process: defaults, slopes at kinks, ends of the line, digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.build import InputError
from actgen.build.settings import shorten
from actgen.frameworks.signature import REQUIRED, defaults
from actgen.numerics.contract import FORMATS
from actgen.numerics.oracle import Exact, Floats
from actgen.spec import load_spec
from actgen.verify.batch import Batch, Framework
from actgen.verify.builtin import find_native, run_native
from actgen.verify.finding import Finding, find
from actgen.verify.measuring import load_module, run_ours, start
from actgen.verify.record import Entry
from actgen.verify.subject import Subject
from actgen.verify.truth import Truth

POINTS = 2**11
_FLOAT32 = FORMATS["float32"]
_ROUND = 2**10
"""Arrays are of a few sizes, so that JAX compiles an operation for all activations and not for each."""


@dataclass(frozen=True)
class Task:
    """What one framework has.

    Attributes:
        framework: its name.
        specs: of the activations of which it has one.
        out: the folder of generated code.
        worst: where the largest errors are known to be, by activation: more numbers to compare at.
    """

    framework: str
    specs: tuple[Path, ...]
    out: Path
    worst: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Difference:
    """Where a built-in and ours do not both keep the contract.

    Attributes:
        quantity: "value" or "slope".
        x: where the error is largest.
        exact: what is right there.
        theirs: what the built-in gives.
        ours: what the generated code gives.
        units: the largest error of the built-in, in units of the contract.
        ulps: the same in ULP.
        right: who keeps the contract at all numbers: "ours", "theirs" or "neither".
    """

    quantity: str
    x: float
    exact: float
    theirs: float
    ours: float
    units: float
    ulps: float
    right: str


@dataclass(frozen=True)
class End:
    """An infinity or NaN, at which a built-in or ours is wrong; the attributes are those of a difference."""

    quantity: str
    x: float
    exact: float
    theirs: float
    ours: float
    is_theirs_right: bool
    is_ours_right: bool


@dataclass(frozen=True)
class Kink:
    """A kink of ours: where it is, the slope there that the spec says, and the built-in's, if it has one."""

    x: float
    ours: float
    theirs: float | None


@dataclass(frozen=True)
class Comparison:
    """A built-in beside ours.

    Attributes:
        activation: ours.
        framework: that has it.
        name: the built-in's, in full.
        arguments: that make it equal to ours, as the spec says.
        defaults: of the built-in's arguments, each as text, empty where it must be given; None if it does not tell.
        kinks: of ours, and both slopes there.
        ends: at which not both are right.
        differences: at other numbers, where not both keep the contract.
        unmeasured: why nothing was measured; empty if it was.
    """

    activation: str
    framework: str
    name: str
    arguments: Mapping[str, str]
    defaults: Mapping[str, str] | None
    kinks: tuple[Kink, ...] = ()
    ends: tuple[End, ...] = ()
    differences: tuple[Difference, ...] = ()
    unmeasured: str = ""


def compare(task: Task) -> tuple[Comparison, ...]:
    """Measure each activation that the framework has.

    Raises:
        SpecError: the framework has no function of the name that a spec gives, or it does not run.
        InputError: ours is not built, or does not run.
    """
    framework = start(task.framework)
    framework.prepare()
    return tuple(_compare(framework, task, spec) for spec in task.specs)


def _compare(framework: Framework, task: Task, spec: Path) -> Comparison:
    activation = load_spec(spec)
    declared = activation.builtins[task.framework]
    native = find_native(activation, task.framework, spec)
    assert native is not None
    told = defaults(native.own)
    found = Comparison(
        activation.name,
        task.framework,
        native.name,
        {name: repr(value) for name, value in declared.arguments.items()},
        None if told is None else {name: "" if v is REQUIRED else _shown(v) for name, v in told.items()},
    )
    if activation.kind != "elementwise":
        return replace(found, unmeasured=f"it is {activation.kind}, no function of each number by itself")
    subject = Subject(spec, POINTS)
    orders = subject.by_input((0, 1))
    points = _arranged(subject.points("float32", 0), task.worst.get(activation.name, ()))
    batch = Batch("float32", points, subject.variable, orders, {}, {})
    ours = run_ours(framework, _ours(task, activation.name), [batch], "eager")
    if isinstance(ours, Entry):
        raise InputError(f"{activation.name} in {task.framework} does not run: {ours.failure}; run `actgen build`")
    theirs = run_native(framework, native, [batch], "eager")
    kinks = np.intersect1d(points, subject.kinks("float32", 0))
    slopes: tuple[Kink, ...] = ()
    ends: list[End] = []
    differences: list[Difference] = []
    away = _away_from(kinks, points)
    for order, quantity in zip(orders, ("value", "slope"), strict=True):
        if order and activation.surrogate is not None:
            continue  # ours is another on purpose
        truth = subject.truth(order, "float32", 0)
        pair = Pair(points, truth(points), ours[0][order], theirs[0].get(order))
        if order:
            slopes = tuple(_kink(pair, x) for x in kinks.tolist())
        pair = pair.part(away if order else away | np.isin(points, kinks))
        if pair.theirs is not None:
            more, worst = _differences(quantity, pair, truth, subject.reads_input(order))
            ends += more
            differences += worst
    return replace(found, kinks=slopes, ends=tuple(ends), differences=tuple(differences))


def _ours(task: Task, name: str) -> Any:
    path = task.out / task.framework / f"{name}.py"
    if not path.is_file():
        raise InputError(f"{shorten(path).as_posix()}: there is no such file; run `actgen build`")
    return getattr(load_module(path), name)


@dataclass(frozen=True)
class Pair:
    """One quantity of ours and of a built-in at the same points, beside what is right; None where it has none."""

    points: Floats
    exact: Exact
    ours: NDArray[np.floating]
    theirs: NDArray[np.floating] | None

    def part(self, here: NDArray[np.bool_]) -> Pair:
        """The same at some of the points."""
        exact = Exact(self.exact.high[here], self.exact.low[here], self.exact.decided[here])
        return Pair(self.points[here], exact, self.ours[here], None if self.theirs is None else self.theirs[here])

    def at(self, x: float) -> tuple[float, float, float]:
        """What is right, theirs and ours at one of the points; where it comes twice, as wrong as they are."""
        same = np.flatnonzero(np.isnan(self.points) if np.isnan(x) else self.points == x)
        exact = float(self.exact.high[same[0]])

        def worst(results: NDArray[np.floating]) -> float:
            wrong = [y for y in results[same].tolist() if str(y + 0.0) != str(exact + 0.0)]
            return float([*wrong, results[same[0]]][0])

        return exact, np.nan if self.theirs is None else worst(self.theirs), worst(self.ours)


def _kink(pair: Pair, x: float) -> Kink:
    exact, theirs, _ = pair.at(x)
    return Kink(x + 0.0, exact, None if pair.theirs is None else theirs)


def _away_from(kinks: Floats, points: Floats) -> NDArray[np.bool_]:
    """Where the branch is no matter of definition: not at a kink, and not where the input may be rounded to one."""
    away = np.ones(len(points), dtype=bool)
    for kink in kinks:
        with np.errstate(invalid="ignore"):
            away &= ~(np.abs(points - kink) <= 4 * max(_FLOAT32.spacing(np.array([kink]))[0], _FLOAT32.flushed))
    return away


def _differences(quantity: str, pair: Pair, truth: Truth, asks_nan: bool) -> tuple[list[End], list[Difference]]:
    """The ends at which one is wrong; and the worst of the built-in if it misses the contract, else of ours."""

    def judge(results: NDArray[np.floating]) -> Finding:
        return find(pair.points, results, pair.exact, truth.slope, _FLOAT32, asks_nan=asks_nan)

    assert pair.theirs is not None
    ours, theirs = judge(pair.ours), judge(pair.theirs)
    ends = [
        End(quantity, float(end), *pair.at(float(end)), end not in theirs.wrong, end not in ours.wrong)
        for end in ("-inf", "inf", "nan")
        if end in theirs.wrong or end in ours.wrong
    ]
    if _is_close(ours) and _is_close(theirs):
        return ends, []
    x = (ours if _is_close(theirs) else theirs).units_at
    right = "ours" if _is_close(ours) else "theirs" if _is_close(theirs) else "neither"
    return ends, [Difference(quantity, x, *pair.at(x), theirs.units, theirs.ulps, right)]


def _is_close(finding: Finding) -> bool:
    """Whether the contract holds for finite numbers."""
    return finding.units <= _FLOAT32.allowed and not finding.spurious


def _arranged(points: Floats, worst: tuple[float, ...]) -> Floats:
    """Points in an array of one of a few sizes, with the ends in its last places too.

    PyTorch computes the last few numbers of an array one by one and the others in vectors, and at NaN not the same.
    """
    points = np.concatenate([points, np.array(worst, dtype=np.float32)])
    return np.concatenate([points, np.zeros(-len(points) % _ROUND), [-np.inf, np.inf, np.nan]])


def _shown(value: object) -> str:
    """A default as the framework's source has it; an object by its name."""
    if isinstance(value, float | int | str | bool | None):
        return repr(value)
    return str(getattr(value, "__name__", type(value).__name__))
