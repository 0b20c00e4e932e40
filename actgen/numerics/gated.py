"""Gated units: the product of a function of one input and a function of the other, each derived by itself.

The factors go through all that an elementwise activation goes through: exact derivatives, the search for a form, the
judgement over all floats. A partial derivative of u(a) v(b) is the product of theirs, and where a parameter occurs in
both, a sum of two such products (Leibniz). What a product loses besides is judged on pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import sympy as sp

from actgen.numerics.choice import CONTRACT, Judgement
from actgen.numerics.contract import FORMATS
from actgen.numerics.contraction import uncontracted
from actgen.numerics.emulation import Arithmetic
from actgen.numerics.kernel import Constant, Kernel, Node
from actgen.numerics.lowering import call, variables
from actgen.numerics.pairs import Oracles, PairJudge, PairTruth, joint_settings
from actgen.numerics.remembered import Question, choose
from actgen.numerics.rules import rewrite
from actgen.spec import Activation, Problem, SpecError
from actgen.spec.factors import separate
from actgen.symbolic.formula import Formula, Order
from actgen.symbolic.properties import Properties, properties

Settings = Sequence[Mapping[str, Fraction]]
Term = tuple[Order, ...]
"""Of each factor what it is differentiated by; the factors' derivatives are multiplied."""

_ROUGHNESS = (1.0, 1.4, 2.0)
"""How much less exact a machine the factors are chosen for, where two of them together miss the contract."""

_MOST_PASSES = 8
"""Accuracy may cost so many times the operations: not fifty times, as a tanh to more digits than a float does."""

NOTHING_KNOWN = Properties((None, None), (None, None), None, (), (), (), None, None, None)
"""Limits, parity, kinks and the like belong to functions of one input."""


@dataclass(frozen=True)
class Factor:
    """One factor of a gated unit: a formula in one input and what it reads of the parameters."""

    formula: Formula
    settings: Settings
    kinks: tuple[float, ...]

    @property
    def input(self) -> sp.Symbol:
        """The one input."""
        return self.formula.inputs[0]


def factorise(activation: Activation, settings: Settings) -> tuple[Factor, ...]:
    """The factors of a gated unit, in the order of its inputs.

    Args:
        activation: a gated one.
        settings: values of all parameters, the defaults first.
    """
    parts = separate(activation.expression, activation.inputs)
    if parts is None:
        message = "a gated unit is a product of a function of one input and a function of the other"
        raise SpecError([Problem(activation.path, message, "write it as such a product")])
    found = []
    for part, symbol in zip(parts, activation.inputs, strict=True):
        single = Formula.of(replace(activation, expression=part, inputs=(symbol,)))
        read = tuple(p for p in single.parameters if single.value.has(p))
        names = [p.name for p in read]
        own = [{name: setting[name] for name in names} for setting in settings]
        own = [setting for i, setting in enumerate(own) if setting not in own[:i]]
        formula = replace(single, parameters=read)
        defaults = {p.name: p.default for p in activation.variables}
        kinks = properties(formula, defaults, [None, None]).seams
        found.append(Factor(formula, own, kinks))
    return tuple(found)


def terms(factors: Sequence[Factor], order: Order) -> Iterator[Term]:
    """The products whose sum is a partial derivative, those left out that vanish."""
    splits: list[Term] = [((),) * len(factors)]
    for name in order:
        splits = [
            (*split[:i], (*split[i], name), *split[i + 1 :])
            for split in splits
            for i, factor in enumerate(factors)
            if name in (variable.name for variable in factor.formula.variables)
        ]
    for split in splits:
        tidy = tuple(_ordered(factor, part) for factor, part in zip(factors, split, strict=True))
        if all(part in factor.formula.partials for factor, part in zip(factors, tidy, strict=True)):
            yield tidy


def orders(formula: Formula) -> Iterator[Order]:
    """The value, the first and the second partial derivatives."""
    names = [variable.name for variable in formula.variables]
    for order in range(3):
        yield from combinations_with_replacement(names, order)


def derive_kernels(
    formula: Formula, factors: Sequence[Factor], machines: Mapping[str, Arithmetic]
) -> tuple[dict[str, dict[Order, Kernel]], dict[str, dict[Order, Judgement]], dict[Order, str]]:
    """The kernels of all partial derivatives, how good they are, and the partials as text.

    Args:
        formula: of the whole unit.
        factors: of it.
        machines: the arithmetic of each target, by its name.
    """
    names = sorted(machines, key=lambda name: (-machines[name].roughness, name))
    known = variables(formula.variables, formula.inputs)
    shops = [_Shop(factor, known, [machines[name] for name in names]) for factor in factors]
    texts = [_texts(factor) for factor in factors]
    kernels: dict[str, dict[Order, Kernel]] = {name: {} for name in names}
    judgements: dict[str, dict[Order, Judgement]] = {name: {} for name in names}
    formulas: dict[Order, str] = {}
    oracles: Oracles = {}
    for order in orders(formula):
        products = list(terms(factors, order))
        if not products:
            continue
        total = sp.Add(*(sp.Mul(*(text[part] for text, part in zip(texts, p, strict=True))) for p in products))
        formulas[order] = str(total).replace("**", "^")
        judge = PairJudge(factors, products, oracles)
        for number, name in enumerate(names):
            found: list[tuple[Kernel, Judgement]] = []
            for roughness in _ROUGHNESS:
                rows = [
                    [shop.choose(part, roughness)[number] for shop, part in zip(shops, product, strict=True)]
                    for product in products
                ]
                kernel = _together([[kernel for kernel, _ in row] for row in rows])
                parts = [verdict for row in rows for _, verdict in row]
                if found and kernel.cost.passes > _MOST_PASSES * (found[0][0].cost.passes + 1):
                    break
                found.append((kernel, judge.judge(kernel, machines[name], parts)))
                # What two factors are off by adds up.
                if found[-1][1].units <= (machines[name].margin + CONTRACT) / 2:
                    break
            best, judgements[name][order] = min(found, key=lambda one: one[1].units)
            kernels[name][order] = uncontracted(best) if machines[name].contracts else best
    return kernels, judgements, formulas


class _Shop:
    """The kernels of one factor's partials, each chosen when first asked for.

    Args:
        factor: of the unit.
        known: the node of each symbol.
        machines: to choose for.
    """

    def __init__(self, factor: Factor, known: Mapping[sp.Basic, Node], machines: Sequence[Arithmetic]) -> None:
        self._factor, self._known, self._machines = factor, known, machines
        self._rewritten = replace(factor.formula, value=rewrite(factor.formula.value)[0]).partials
        self._chosen: dict[tuple[Order, float], list[tuple[Kernel, Judgement]]] = {}

    def choose(self, order: Order, roughness: float) -> list[tuple[Kernel, Judgement]]:
        """The kernel of a partial on each machine, if its functions were off by so many times as much.

        Then a part of the contract is left for another factor on the real one.
        """
        key = order, roughness
        if key not in self._chosen:
            factor, formula = self._factor, self._factor.formula
            partial = formula.partials[order]
            question = Question(partial, factor.input, formula.parameters, factor.settings, factor.kinks)
            other = self._rewritten.get(order, partial)
            machines = [_rougher(machine, roughness) for machine in self._machines]
            equals = [other] if other != partial else []
            self._chosen[key] = choose(question, self._known, equals, machines)
        return self._chosen[key]


def _rougher(machine: Arithmetic, times: float) -> Arithmetic:
    errors = {name: (times * single, times * double) for name, (single, double) in machine.errors.items()}
    return replace(machine, errors=errors)


def _texts(factor: Factor) -> dict[Order, sp.Expr]:
    partials = replace(factor.formula, value=rewrite(factor.formula.value)[0]).partials
    return {order: rewrite(sp.factor_terms(partial))[0] for order, partial in partials.items()}


def _ordered(factor: Factor, order: Order) -> Order:
    names = [variable.name for variable in factor.formula.variables]
    return tuple(sorted(order, key=names.index))


def _together(products: Sequence[Sequence[Kernel]]) -> Kernel:
    """The sum of products of kernels."""
    results = [_product([kernel.result for kernel in kernels]) for kernels in products]
    total = results[0]
    for result in results[1:]:
        total = call("add", total, result)
    parts = [kernel for kernels in products for kernel in kernels]
    named = {node: name for kernel in parts for node, name in kernel.names.items()}
    forms = dict.fromkeys(kernel.form for kernel in parts if kernel.form != "as declared")
    notes = dict.fromkeys(kernel.note.rstrip(".") for kernel in parts if kernel.note)
    form = " times ".join(forms) or "as declared"
    return Kernel(total, named, form, ". ".join(notes))


def _product(factors: Sequence[Node]) -> Node:
    """The product of nodes; a factor 1 is left out, a factor -1 a change of sign."""
    is_negative = sum(factor == Constant(-1.0) for factor in factors) % 2 == 1
    rest = [factor for factor in factors if factor not in (Constant(1.0), Constant(-1.0))]
    result: Node = rest[0] if rest else Constant(1.0)
    for factor in rest[1:]:
        result = call("multiply", result, factor)
    return call("negate", result) if is_negative else result


@dataclass(frozen=True)
class PairTable:
    """Correctly rounded values at chosen pairs of inputs, at the default parameters.

    Attributes:
        parameters: the defaults, rounded to float32.
        points: the pairs.
        values: for each partial its float64 values at the pairs; NaN where the oracle cannot tell, or where a factor is
            next to underflow and code may be off by more than digits.
        moved: for each partial |a dy/da| + |b dy/db|.
    """

    parameters: Mapping[str, float]
    points: tuple[tuple[float, float], ...]
    values: Mapping[Order, tuple[float, ...]]
    moved: Mapping[Order, tuple[float, ...]]


_SIZES = (0.01, 0.3, 0.7, 1.5, 2.5, 4.0, 6.0, 9.0, 13.1, 17.0, 30.0, 60.0)
_FAR = (1e-30, 1e-8, 1e3, 1e13, 1e30)


def reference_pairs(formula: Formula, factors: Sequence[Factor]) -> PairTable:
    """Reference values for the generated tests: where the factors bend, their kinks, tails, and all signs.

    Args:
        formula: of the unit.
        factors: of it.
    """
    parameters = {name: float(np.float32(value)) for name, value in joint_settings(factors)[0].items()}
    columns = []
    for index, factor in enumerate(factors):
        sizes = (*_SIZES, *_FAR)
        points = [0.0, 1.0, -1.0, *factor.kinks, *(sign * size for size in sizes for sign in (1, -1))]
        turned = points if index == 0 else points[::-1][len(points) // 3 :] + points[::-1][: len(points) // 3]
        columns.append([float(np.float32(point)) for point in (*points, *turned)])
    shortest = min(map(len, columns))
    chosen = list(dict.fromkeys(zip(columns[0][:shortest], columns[1][:shortest], strict=True)))
    arrays = [np.array(column) for column in zip(*chosen, strict=True)]
    values, moved = {}, {}
    oracles: Oracles = {}
    for order in orders(formula):
        products = list(terms(factors, order))
        if products:
            found = PairTruth(factors, products, oracles)(arrays, parameters, FORMATS["float32"], slack=2.0**26)
            exact = np.where(found.decided & ((found.free == 0) | (found.exact == 0)), found.exact, np.nan).astype(
                np.float64
            )
            values[order], moved[order] = tuple(exact.tolist()), tuple(found.moved.tolist())
    return PairTable(parameters, tuple(chosen), values, moved)
