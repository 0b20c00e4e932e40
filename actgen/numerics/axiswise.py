"""From an axis-wise activation to everything a target needs: kernels of the value and its products, judged on rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp

from actgen.numerics.contract import LARGEST_UNITS
from actgen.numerics.emulation import IDEAL, Arithmetic
from actgen.numerics.kernel import Kernel
from actgen.numerics.row_judge import NONE, RowErrors, inputs_of, row_errors, run_row, truth_of
from actgen.numerics.row_oracle import RowOracle
from actgen.numerics.row_samples import RowSample, row_samples
from actgen.numerics.rowwise import Setting, lower_quantity
from actgen.numerics.rules import rewrite
from actgen.numerics.samples import parameter_values
from actgen.spec import Activation
from actgen.symbolic.axiswise import QUANTITIES, AxiswiseFormula
from actgen.symbolic.balls import UndecidedError
from actgen.symbolic.products import COTANGENT, ROW_COTANGENT, TANGENT
from actgen.symbolic.reductions import LENGTH, Centred, LogMean, LogTotal, Spread, Tie, Top, Total, Weights


@dataclass(frozen=True)
class AxiswiseDerivation:
    """Everything a target needs to know of one axis-wise activation.

    Attributes:
        activation: the spec.
        formula: the declared formula, its normal form and its products.
        setting: how the row is brought into range.
        kernels: of each of QUANTITIES, and of the derivative by each parameter, by its name.
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
            names = {symbol: symbol.name for symbol in self.formula.parameters}
            names |= {symbol: str(number) for symbol, number in constants.items()}
            powers = [(f"c^{weight}" if weight > 1 else "c", s) for s, weight in scaling.weights.items() if weight]
            along = "".join(f", {power} {names[symbol]}" for power, symbol in powers)
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
        bend: the derivative of the cotangent times the Jacobian along the tangent; empty where it is not asked for.
    """

    sample: RowSample
    values: Mapping[str, tuple[float, ...]]
    conditions: Mapping[str, tuple[float, ...]]
    bend: tuple[float, ...] = ()


def derive_axiswise(activation: Activation, machines: Mapping[str, Arithmetic] | None = None) -> AxiswiseDerivation:
    """Derive and judge the kernels of an axis-wise activation; deterministic.

    Args:
        activation: the spec, of kind "axiswise".
        machines: the arithmetic of each target, by its name; correctly rounded if not given, not judged if empty.

    Raises:
        SpecError: the formula has no real value, or does not depend on its input.
    """
    formula = normal_formula(activation)
    setting = Setting.of(formula)
    names = (*QUANTITIES, *(symbol.name for symbol in formula.parameters))
    kernels = {name: lower_quantity(formula, name, setting) for name in names}
    formulas = {quantity: text(formula.quantities[quantity]) for quantity in QUANTITIES}
    judgements = _judge(activation, formula, kernels, {"": IDEAL} if machines is None else machines)
    return AxiswiseDerivation(activation, formula, setting, kernels, formulas, judgements)


def normal_formula(activation: Activation) -> AxiswiseFormula:
    """The formula of an axis-wise activation, rewritten and in its normal form."""
    return AxiswiseFormula.of(activation, lambda expression: rewrite(expression)[0])


def reference_rows(derivation: AxiswiseDerivation) -> list[RowReference]:
    """Rows for the generated test, a few of each kind, with exact results."""
    defaults = {p.name: float(np.float32(float(p.default))) for p in derivation.activation.parameters}
    oracle = RowOracle(derivation.formula, defaults)
    found = []
    for sample in row_samples("bfloat16", (1, 5)):
        if sample.name not in _FOR_TESTS:
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
                _bend(oracle, sample, derivation.reduces) if sample.name in _BENT else (),
            )
        )
    return found


def _bend(oracle: RowOracle, sample: RowSample, reduces: bool) -> tuple[float, ...]:
    """The second derivative in a sample's directions; empty where the formula has none that is finite."""
    cotangent = sample.cotangent[: 1 if reduces else None]
    try:
        exact = oracle.bend(sample.row.tolist(), cotangent.tolist(), sample.tangent.tolist())
    except UndecidedError:
        return ()
    found = tuple(float(value.mid()) for value in exact)
    return found if all(map(math.isfinite, found)) else ()


_FOR_TESTS = frozenset(
    f"{kind}, {direction}"
    for kind, directions in {
        "ordinary, 1": ["random"],
        "ordinary, 5": ["random", "unit 2"],
        "spread, 5": ["random"],
        "offset, 5": ["random"],
        "saturated, 5": ["random", "unit 2"],
        "saturated deeply, 5": ["unit 0"],
        "ties, 5": ["random"],
        "wide, 5": ["random"],
        "one outlier, 5": ["random"],
    }.items()
    for direction in directions
)

_BENT = frozenset(
    f"{kind}, 5, random" for kind in ("ordinary", "spread", "offset", "saturated", "ties", "wide", "one outlier")
)
"""Rows of one length, on which second derivatives are tested too."""


def settings_of(activation: Activation) -> Iterator[Mapping[str, Fraction]]:
    """The parameters' values to judge at: the defaults, then each at others with the rest at their defaults."""
    samples = {parameter.name: parameter_values(parameter) for parameter in activation.parameters}
    defaults = {name: values[0] for name, values in samples.items()}
    yield defaults
    for name, values in samples.items():
        yield from ({**defaults, name: value} for value in values[1:])


def text(expression: sp.Expr) -> str:
    """A formula with reductions on one line, in the words of the spec format: t is a tangent, g a cotangent."""
    shown = expression.replace(lambda part: isinstance(part, Centred | Spread), _written_out)
    shown = shown.replace(lambda part: isinstance(part, Weights | LogTotal | LogMean | Tie), _written_out)
    shown = shown.replace(lambda part: isinstance(part, Total), lambda part: sp.Function("Sum")(*part.args))
    shown = shown.replace(lambda part: isinstance(part, Top), lambda part: sp.Function("Max")(*part.args))
    symbols = {
        TANGENT: sp.Symbol("t"),
        COTANGENT: sp.Symbol("g"),
        ROW_COTANGENT: sp.Symbol("g"),
        LENGTH: sp.Symbol("n"),
    }
    return str(shown.xreplace(symbols)).replace("**", "^")


def _written_out(part: sp.Expr) -> sp.Expr:
    """What a class of :mod:`actgen.symbolic.reductions` stands for; weights without a term beside are a softmax."""
    v, beside = part.args[0], part.args[1] if len(part.args) > 1 else sp.Integer(0)
    match part:
        case Centred():
            return part.args[2] - Total(part.args[2] * Weights(v, beside))
        case Spread():
            return part.args[2] - Weights(v, beside) * Total(part.args[2])
        case Weights():
            return sp.Function("softmax")(v) if beside == 0 else sp.exp(v) / (beside + Total(sp.exp(v)))
        case LogTotal():
            return sp.log(beside + Total(sp.exp(v)))
        case LogMean():
            return sp.log(sp.Function("Mean")(sp.exp(v)))
    return sp.Function("ties")(v)


_AT_OTHER_PARAMETERS = ("ordinary, 3, random", "spread, 3, random", "saturated, 3, unit 1", "one outlier, 3, random")
_PLACES = 3
"""At how many elements of a row results are judged."""


def _judge(
    activation: Activation,
    formula: AxiswiseFormula,
    kernels: Mapping[str, Kernel],
    machines: Mapping[str, Arithmetic],
) -> Mapping[str, Mapping[str, RowErrors]]:
    worst: dict[str, dict[str, RowErrors]] = {q: dict.fromkeys(machines, NONE) for q in QUANTITIES}
    if not machines:
        return worst
    for number, setting in enumerate(settings_of(activation)):
        for dtype in ("float32", "float64"):
            values = {name: float(np.dtype(dtype).type(float(value))) for name, value in setting.items()}
            oracle = RowOracle(formula, values)
            lengths = (1, 2, 5) if (number, dtype) == (0, "float32") else (3,)
            for sample in row_samples(dtype, lengths):
                if number and sample.name not in _AT_OTHER_PARAMETERS:
                    continue
                for quantity in QUANTITIES:
                    kernel = kernels[quantity]
                    found = _judge_one(kernel, quantity, sample, dtype, values, oracle, formula.reduces, machines)
                    for name, errors in found.items():
                        worst[quantity][name] = worst[quantity][name].worse(errors)
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
) -> dict[str, RowErrors]:
    """The errors on one row by the machine; none where the formula has no value there."""
    if quantity == "value" and ", unit" in sample.name:
        return {}
    try:
        truth = truth_of(oracle, quantity, sample, reduces, _PLACES)
    except UndecidedError:
        return {}
    if not all(math.isfinite(float(value.mid())) for value in truth.values):
        return {}
    found = {}
    for name, machine in machines.items():
        results = run_row(kernel, {**inputs_of(sample, quantity, reduces), **values}, dtype, machine)
        found[name] = row_errors(np.broadcast_to(results, (len(truth.values),)), truth, dtype, sample)
    return found
