"""From an activation to everything a target needs: kernels, formulas as text, properties, reference values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import sympy as sp

from actgen.numerics.choice import Judgement
from actgen.numerics.contraction import uncontracted
from actgen.numerics.emulation import IDEAL, Arithmetic
from actgen.numerics.gated import NOTHING_KNOWN, PairTable, derive_kernels, factorise, reference_pairs
from actgen.numerics.kernel import Kernel
from actgen.numerics.lowering import variables
from actgen.numerics.oracle import Oracle
from actgen.numerics.remembered import Question, choose
from actgen.numerics.rules import rewrite
from actgen.numerics.samples import parameter_values
from actgen.numerics.symmetry import Mirror
from actgen.spec import Activation, Problem, SpecError
from actgen.symbolic.formula import Formula, Order
from actgen.symbolic.properties import Properties, properties


@dataclass(frozen=True)
class Derivation:
    """Everything a target needs to know of one activation.

    Attributes:
        activation: the spec.
        formula: the declared formula and its exact partial derivatives.
        kernels: how each partial is computed, by the variables it is differentiated by; those that vanish are absent.
        formulas: the partials as one line of text each.
        properties: limits, parity, kinks and the like.
        judgements: how each kernel was chosen and how accurate it is.
    """

    activation: Activation
    formula: Formula
    kernels: Mapping[Order, Kernel]
    formulas: Mapping[Order, str]
    properties: Properties
    judgements: Mapping[Order, Judgement]

    @property
    def missed(self) -> Mapping[Order, Judgement]:
        """The partials whose kernel does not keep the accuracy contract in emulation."""
        return {order: verdict for order, verdict in self.judgements.items() if not verdict.is_within_contract}


@dataclass(frozen=True)
class ReferenceTable:
    """Correctly rounded values at chosen points, at the default parameters.

    Attributes:
        dtype: whose representable numbers the points and parameters are.
        parameters: the defaults, rounded to ``dtype``.
        points: the inputs.
        values: for each partial its float64 values at the points; NaN where the oracle cannot tell.
    """

    dtype: str
    parameters: Mapping[str, float]
    points: tuple[float, ...]
    values: Mapping[Order, tuple[float, ...]]


_PROBES = np.array([sign * size for size in (0.01, 0.3, 1.1, 2.7, 9.0, 100.0) for sign in (-1, 1)])


def derive(activation: Activation, machine: Arithmetic = IDEAL) -> Derivation:
    """Derive, for one activation, its kernels and what is known of it.

    Deterministic: the same spec gives the same derivation on every machine.

    Args:
        activation: the spec.
        machine: the arithmetic that the kernels are to be chosen for.

    Raises:
        SpecError: the formula has no real value at the default parameters.
    """
    return derive_for(activation, {"": machine})[""]


def derive_for(activation: Activation, machines: Mapping[str, Arithmetic]) -> dict[str, Derivation]:
    """The derivations for several machines, which share all that does not depend on arithmetic.

    Args:
        activation: the spec.
        machines: the arithmetic of each target, by its name.

    Raises:
        SpecError: the formula has no real value at the default parameters.
    """
    if activation.kind == "gated":
        return _derive_gated(activation, machines)
    formula = Formula.of(activation)
    defaults = {parameter.name: parameter.default for parameter in activation.variables}
    settings = tuple(settings_of(activation))
    oracle = Oracle(formula.value, formula.inputs[0], formula.parameters)
    if not oracle(_PROBES, settings[0]).decided.any():
        message = "the formula has no real value at any of the inputs tried, with the parameters at their defaults"
        raise SpecError([Problem(activation.path, message, "check the arguments of log, sqrt and powers")])
    found = properties(formula, defaults, [oracle.limit(sign, settings[0]) for sign in (-1, 1)])
    known = variables(formula.variables, formula.inputs)
    # The derivatives of a rewritten formula are shorter than rewritten derivatives: softplus' is sigmoid.
    rewritten = replace(formula, value=rewrite(formula.value)[0]).partials
    formulas = {order: _text(partial) for order, partial in rewritten.items()}
    # What keeps the contract on the least exact machine does so on the others, and need not be searched for there.
    names = sorted(machines, key=lambda name: (-machines[name].roughness, name))
    kernels: dict[str, dict[Order, Kernel]] = {name: {} for name in names}
    judgements: dict[str, dict[Order, Judgement]] = {name: {} for name in names}
    for order, partial in formula.partials.items():
        equals = [rewritten[order]] if order in rewritten and rewritten[order] != partial else []
        question = Question(partial, formula.inputs[0], formula.parameters, settings, found.seams)
        verdicts = choose(question, known, equals, [machines[name] for name in names])
        mirror = Mirror(question)
        for name, (kernel, judgement) in zip(names, verdicts, strict=True):
            held = mirror.hold(kernel, machines[name])
            kernels[name][order] = uncontracted(held) if machines[name].contracts else held
            judgements[name][order] = judgement
    return {
        name: Derivation(activation, formula, kernels[name], formulas, found, judgements[name]) for name in machines
    }


def _derive_gated(activation: Activation, machines: Mapping[str, Arithmetic]) -> dict[str, Derivation]:
    factors = factorise(activation, tuple(settings_of(activation)))
    for factor in factors:
        oracle = Oracle(factor.formula.value, factor.input, factor.formula.parameters)
        if not oracle(_PROBES, factor.settings[0]).decided.any():
            message = f"{factor.formula.value} has no real value at any of the inputs tried"
            raise SpecError([Problem(activation.path, message, "check the arguments of log, sqrt and powers")])
    formula = Formula.of(activation)
    kernels, judgements, formulas = derive_kernels(formula, factors, machines)
    return {
        name: Derivation(activation, formula, kernels[name], formulas, NOTHING_KNOWN, judgements[name])
        for name in machines
    }


def reference_table(derivation: Derivation, dtype: str = "float32") -> ReferenceTable:
    """Reference values for the generated tests: special points, both sides of every kink, tails, infinities and NaN.

    Args:
        derivation: of the activation.
        dtype: "float32" or "float64"; points and parameters are numbers of this type.
    """
    scalar = np.dtype(dtype).type
    points = tuple(dict.fromkeys(float(scalar(point)) for point in _reference_points(derivation, dtype)))
    drawn = {draw.parameter.name for draw in derivation.activation.draws}  # no argument that tests could round
    parameters = {
        p.name: float(p.default) if p.name in drawn else float(scalar(float(p.default)))
        for p in derivation.activation.variables
    }
    formula = derivation.formula
    values: dict[Order, tuple[float, ...]] = {}
    for order, partial in formula.partials.items():
        oracle = Oracle(partial, formula.inputs[0], formula.parameters)
        exact = oracle(np.array([*points, math.inf, -math.inf]), parameters)
        values[order] = (*exact.high.tolist(), math.nan)
    return ReferenceTable(dtype, parameters, (*points, math.inf, -math.inf, math.nan), values)


def pair_table(derivation: Derivation) -> PairTable:
    """Reference values for the generated tests of a gated unit."""
    activation = derivation.activation
    return reference_pairs(derivation.formula, factorise(activation, tuple(settings_of(activation))))


_SIZES = (1e-30, 1e-8, 1e-4, 0.01, 0.1, 0.3, 0.7, 1.5, 2.5, 4.0, 6.0, 9.0, 13.1, 17.0, 30.0, 60.0, 88.5)
_LARGE_SIZES = (1e3, 1e6, 1e13, 1e20, 1e30)


def _reference_points(derivation: Derivation, dtype: str) -> Iterator[float]:
    yield from (0.0, 1.0, -1.0)
    for size in (*_SIZES, *_LARGE_SIZES):
        yield from (size, -size)
    scalar = np.dtype(dtype).type
    for seam in derivation.properties.seams:
        below, above = (np.nextafter(scalar(seam), scalar(end)) for end in (-np.inf, np.inf))
        yield from (seam, float(below), float(above))


def settings_of(activation: Activation) -> Iterator[Mapping[str, Fraction]]:
    """The defaults, then each parameter at its other sampled values with the rest at their defaults."""
    samples = {parameter.name: parameter_values(parameter) for parameter in activation.variables}
    defaults = {name: values[0] for name, values in samples.items()}
    yield defaults
    for name, values in samples.items():
        for value in values[1:]:
            yield {**defaults, name: value}


def _text(expression: sp.Expr) -> str:
    """An expression on one line, in the form a reader would write it."""
    rewritten, _ = rewrite(sp.factor_terms(expression))
    return str(rewritten).replace("**", "^")
