"""From an axis-wise activation to everything a target needs: kernels of the value and its products, judged on rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp

from actgen.numerics.contract import LARGEST_UNITS
from actgen.numerics.emulation import IDEAL, Arithmetic
from actgen.numerics.kernel import Kernel
from actgen.numerics.oracle import Floats
from actgen.numerics.row_judge import NONE, RowErrors, inputs_of, row_errors, run_row, truth_of
from actgen.numerics.row_oracle import RowOracle
from actgen.numerics.row_samples import RowSample, row_samples, rounded
from actgen.numerics.rowwise import Setting, lower_quantity
from actgen.numerics.rules import rewrite
from actgen.numerics.samples import parameter_values
from actgen.spec import Activation
from actgen.symbolic.axiswise import QUANTITIES, AxiswiseFormula
from actgen.symbolic.balls import UndecidedError


@dataclass(frozen=True)
class AxiswiseDerivation:
    """Everything a target needs to know of one axis-wise activation.

    Attributes:
        activation: the spec.
        formula: the declared formula, its normal form and its products.
        setting: how the row is brought into range.
        kernels: of each of QUANTITIES.
        formulas: the quantities as one line of text each.
        judgements: how accurate each kernel is in emulated arithmetic, by the quantity and the machine's name.
    """

    activation: Activation
    formula: AxiswiseFormula
    setting: Setting
    kernels: Mapping[str, Kernel]
    formulas: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, RowErrors]]

    @property
    def reduces(self) -> bool:
        """Whether there is one result for the whole axis."""
        return self.formula.reduces

    @property
    def missed(self) -> list[tuple[str, str, RowErrors]]:
        """Quantity, machine and error where the contract is not kept in emulation."""
        return [
            (quantity, machine, errors)
            for quantity, by_machine in self.judgements.items()
            for machine, errors in by_machine.items()
            if errors.units > LARGEST_UNITS
        ]

    @property
    def proved(self) -> list[str]:
        """What was proved of the formula, in sentences."""
        told = []
        if self.formula.shift is not None:
            told.append(("f(x + c) = f(x)", "f(x + c) = f(x) + c")[self.formula.shift])
        if self.formula.scaling is not None:
            scaling, constants = self.formula.scaling
            names = {symbol: symbol.name for symbol in self.formula.parameters} | {s: str(v) for s, v in constants.items()}
            along = "".join(f", c^{w} {names[s]}" if w > 1 else f", c {names[s]}" for s, w in scaling.weights.items() if w)
            degree = scaling.degree
            power = {0: "", 1: "c "}.get(degree, f"c^{degree} ")
            told.append(f"f(c x{along}) = {power}f(x) for c > 0")
        return told


@dataclass(frozen=True)
class RowReference:
    """Correctly rounded results on one row, at the default parameters, for the generated tests.

    Attributes:
        sample: the row, in numbers of bfloat16: every type holds them.
        values: float64 results of each quantity.
        conditions: what half an ulp in the inputs is worth, in units of u.
    """

    sample: RowSample
    values: Mapping[str, tuple[float, ...]]
    conditions: Mapping[str, tuple[float, ...]]


def derive_axiswise(activation: Activation, machines: Mapping[str, Arithmetic] | None = None) -> AxiswiseDerivation:
    """Derive and judge the kernels of an axis-wise activation; deterministic.

    Args:
        activation: the spec, of kind "axiswise".
        machines: the arithmetic of each target, by its name; without any, correctly rounded arithmetic judges.

    Raises:
        SpecError: the formula has no real value, or does not depend on its input.
    """
    formula = AxiswiseFormula.of(activation, lambda expression: rewrite(expression)[0])
    setting = Setting.of(formula)
    kernels = {quantity: lower_quantity(formula, quantity, setting) for quantity in QUANTITIES}
    formulas = {quantity: text(formula.quantities[quantity]) for quantity in QUANTITIES}
    judgements = _judge(activation, formula, kernels, machines or {"": IDEAL})
    return AxiswiseDerivation(activation, formula, setting, kernels, formulas, judgements)


def reference_rows(derivation: AxiswiseDerivation) -> list[RowReference]:
    """Rows for the generated test, a few of each kind, with exact results."""
    defaults = {p.name: float(np.float32(float(p.default))) for p in derivation.activation.parameters}
    oracle = RowOracle(derivation.formula, defaults)
    found = []
    for sample in row_samples("bfloat16", (1, 2, 5)):
        if "unit 0" in sample.name and "saturated" not in sample.name:
            continue
        truths = {}
        try:
            truths = {quantity: truth_of(oracle, quantity, sample, derivation.reduces) for quantity in QUANTITIES}
        except UndecidedError:
            continue
        found.append(
            RowReference(
                sample,
                {quantity: tuple(float(value.mid()) for value in truth.values) for quantity, truth in truths.items()},
                {quantity: tuple(truth.conditions.tolist()) for quantity, truth in truths.items()},
            )
        )
    return found


def settings_of(activation: Activation) -> Iterator[Mapping[str, Fraction]]:
    """The parameters' values to judge at: the defaults, then each at others with the rest at their defaults."""
    samples = {parameter.name: parameter_values(parameter) for parameter in activation.parameters}
    defaults = {name: values[0] for name, values in samples.items()}
    yield defaults
    for name, values in samples.items():
        yield from ({**defaults, name: value} for value in values[1:])


def text(expression: sp.Expr) -> str:
    """A formula with reductions on one line, in the words of the spec format and of the docs."""
    shown = str(expression).replace("**", "^").replace("axis length", "n")
    for ours, theirs in (("Total(", "Sum("), ("Top(", "Max("), (", 0)", ")")):
        shown = shown.replace(ours, theirs)
    return shown


def _judge(
    activation: Activation,
    formula: AxiswiseFormula,
    kernels: Mapping[str, Kernel],
    machines: Mapping[str, Arithmetic],
) -> Mapping[str, Mapping[str, RowErrors]]:
    worst: dict[str, dict[str, RowErrors]] = {q: dict.fromkeys(machines, NONE) for q in QUANTITIES}
    for number, setting in enumerate(settings_of(activation)):
        for dtype in ("float32", "float64"):
            values = {name: float(np.dtype(dtype).type(float(value))) for name, value in setting.items()}
            oracle = RowOracle(formula, values)
            lengths = (1, 2, 3, 8) if number == 0 else (3,)
            for sample in row_samples(dtype, lengths):
                for quantity, kernel in kernels.items():
                    _judge_one(kernel, quantity, sample, dtype, values, oracle, formula.reduces, machines, worst)
    return worst


def _judge_one(
    kernel: Kernel,
    quantity: str,
    sample: RowSample,
    dtype: str,
    values: Mapping[str, float],
    oracle: RowOracle,
    reduces: bool,
    machines: Mapping[str, Arithmetic],
    worst: dict[str, dict[str, RowErrors]],
) -> None:
    if quantity == "value" and ", unit" in sample.name:
        return
    try:
        truth = truth_of(oracle, quantity, sample, reduces)
    except UndecidedError:
        return
    if not all(math.isfinite(float(value.mid())) for value in truth.values):
        return
    for name, machine in machines.items():
        results = run_row(kernel, {**inputs_of(sample, quantity, reduces), **values}, dtype, machine)
        results = np.broadcast_to(results, (len(truth.values),))
        worst[quantity][name] = worst[quantity][name].worse(row_errors(results, truth, dtype, sample))


__all__ = [
    "AxiswiseDerivation",
    "Floats",
    "RowReference",
    "Sequence",
    "derive_axiswise",
    "reference_rows",
    "rounded",
    "settings_of",
]
