"""The normal form of a formula with reductions: constants outside, exponentials gathered into weights.

:func:`settle` pulls factors and terms that are constant along the axis out of reductions, exponentials, logarithms and
powers. :func:`gather` then recognises quotients of exponentials by their sums, whatever their scale:

    exp(v) / (b + Sum(exp(v)))             Weights(v, b)                   softmax, and softmax with a term beside it
    log(b + Sum(exp(v)))                   LogTotal(v, b)                  log_softmax
    log(Mean(exp(v)))                      LogMean(v)
    Sum(a exp(v)) / Sum(exp(v))            Sum(a Weights(v, 0))
    exp(u) Sum(exp(v))^k                   exp(u + k LogTotal(v, 0))       where no weights come of it
    sigmoid(v) / Sum(sigmoid(v))           the first, of the exponent -softplus(-v)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.relational import Relational

from actgen.symbolic.primitives import log1p, sech, sigmoid, softplus
from actgen.symbolic.reductions import (
    LENGTH,
    Centred,
    LogMean,
    LogTotal,
    Spread,
    Top,
    Total,
    Weights,
    expanded,
    is_row,
    split_factors,
    split_terms,
    top,
    total,
)


def settle(expression: sp.Basic) -> sp.Basic:
    """An equal expression with what is constant along the axis pulled out of everything."""
    if not expression.args:
        return expression
    args = [settle(argument) for argument in expression.args]
    match expression:
        case Total():
            return total(args[0])
        case Top():
            return top(args[0])
        case LogTotal():
            constant, varying = split_terms(expanded(args[0]))
            if args[1] == 0 and varying != 0:
                return constant + LogTotal(varying, 0)
        case LogMean():
            constant, varying = split_terms(expanded(args[0]))
            return constant + LogMean(varying)
        case Weights() | Centred() | Spread():
            constant, varying = split_terms(expanded(args[0]))
            if args[1] == 0 and varying != 0:
                args[0] = varying
            if isinstance(expression, Weights):
                return Weights(*args)
            row, rest = split_factors(args[2])
            return row * expression.func(*args[:2], rest)
        case sp.log():
            return _log(args[0])
        case sp.Piecewise():
            return sp.Piecewise(*((pair.args[0], pair.args[1]) for pair in args))
        case sp.Add():
            return sp.Add(*args)
        case Relational():
            return _compare(expression, args)
    return expression.func(*args)


def _compare(relation: Relational, sides: Sequence[sp.Expr]) -> sp.Basic:
    """A comparison without the terms that both sides have."""
    left, right = sides
    shared = {*sp.Add.make_args(left)} & {*sp.Add.make_args(right)}
    both = sp.Add(*shared)
    return relation.func(left - both, right - both) if shared else relation.func(left, right)


def _log(argument: sp.Expr) -> sp.Expr:
    """log(argument) with exponentials, positive numbers, powers and lengths taken apart."""
    terms: list[sp.Expr] = []
    rest: list[sp.Expr] = []
    for factor in sp.Mul.make_args(argument):
        base, exponent = factor.as_base_exp()
        if isinstance(factor, sp.exp):
            terms.append(factor.args[0])
        elif factor is sp.E:
            terms.append(sp.Integer(1))
        elif base.is_positive and (is_row(base) or exponent != 1) and is_row(exponent):
            terms.append(exponent * sp.log(base))
        else:
            rest.append(factor)
    product = sp.Mul(*rest)
    return sp.Add(*terms, sp.log(product) if product != 1 else 0)


def distributed(expression: sp.Basic) -> sp.Basic:
    """Everything multiplied out, sums over the axis taken term by term: equal formulas mostly become the same."""
    if not expression.args:
        return expression
    if isinstance(expression, sp.Piecewise):
        return sp.Piecewise(*((distributed(value), condition) for value, condition in expression.args))
    rebuilt = expression.func(*map(distributed, expression.args))
    if isinstance(rebuilt, Total):
        return sp.Add(*map(total, sp.Add.make_args(sp.expand(rebuilt.args[0]))))
    return sp.expand(rebuilt) if isinstance(rebuilt, sp.Add | sp.Mul | sp.Pow) else rebuilt


@dataclass(frozen=True)
class _Sum:
    """scale (beside + Total(exp(exponent)))."""

    scale: sp.Expr
    exponent: sp.Expr
    beside: sp.Expr

    @classmethod
    def of(cls, expression: sp.Expr) -> _Sum | None:
        """The sum of exponentials that an expression is; None where it is none."""
        terms = sp.Add.make_args(expression)
        found = [(term, *_exponential_total(term)) for term in terms if _exponential_total(term) is not None]  # type: ignore[misc]
        if len(found) != 1:
            return None
        term, scale, exponent = found[0]
        beside = (expression - term) / scale
        if scale.is_positive and (
            beside == 0 or (beside.is_positive and not beside.has(Total, Top, LogTotal, LogMean))
        ):
            return cls(scale, exponent, beside)
        return None

    @property
    def logarithm(self) -> sp.Expr:
        """The logarithm of the sum without its scale."""
        return LogTotal(self.exponent, self.beside)


def _exponential_total(term: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """For k Total(exp(v)): k and v."""
    for factor in sp.Mul.make_args(term):
        if isinstance(factor, Total):
            exponents, rest = _exponents(factor.args[0])
            if rest == 1 and exponents != 0:
                return term / factor, exponents
    return None


def _exponents(product: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The sum of the exponents of the exponentials in a product, and the other factors."""
    exponents, rest = [], []
    for factor in sp.Mul.make_args(product):
        base, exponent = factor.as_base_exp()
        if isinstance(factor, sp.exp):
            exponents.append(factor.args[0])
        elif isinstance(base, sigmoid) and exponent.is_number:
            exponents.append(-exponent * softplus(-base.args[0]))
        elif isinstance(base, sech) and exponent.is_number:
            size = sp.Abs(base.args[0])
            exponents.append(exponent * (sp.log(2) - size - softplus(-2 * size)))
        else:
            rest.append(factor)
    return sp.Add(*exponents), sp.Mul(*rest)


def gather(expression: sp.Basic) -> sp.Basic:
    """An equal expression with exponentials and their sums gathered, and settled again."""
    if not expression.args:
        return expression
    args = [gather(argument) for argument in expression.args]
    if isinstance(expression, sp.Piecewise):
        return sp.Piecewise(*((pair.args[0], pair.args[1]) for pair in args))
    rebuilt = expression.func(*args)
    if isinstance(rebuilt, sp.log | log1p):
        return _gather_log(rebuilt)
    if isinstance(rebuilt, sp.Add):
        return _gather_means(rebuilt)
    if isinstance(rebuilt, sp.Mul | sp.Pow):
        return _gather_product(rebuilt)
    return rebuilt


def _gather_log(expression: sp.Expr) -> sp.Expr:
    found = _Sum.of(expression.args[0] + int(isinstance(expression, log1p)))
    return expression if found is None else settle(sp.log(found.scale)) + settle(found.logarithm)


def _gather_means(expression: sp.Add) -> sp.Expr:
    """LogTotal(v, 0) - log(n) is LogMean(v)."""
    for term in expression.args:
        coefficient, logarithm = term.as_independent(LogTotal)
        if isinstance(logarithm, LogTotal) and logarithm.args[1] == 0:
            partner = -coefficient * sp.log(LENGTH)
            if partner in expression.args:
                return _gather_means(expression - term - partner + coefficient * LogMean(logarithm.args[0]))
    return expression


def _gather_product(expression: sp.Expr) -> sp.Expr:
    exponent, rest = _exponents(expression)
    sums: dict[sp.Expr, sp.Expr] = {}
    scale: list[sp.Expr] = []
    others: list[sp.Expr] = []
    for factor in sp.Mul.make_args(rest):
        base, power = factor.as_base_exp()
        found = _Sum.of(base) if power.is_number else None
        if found is None:
            others.append(factor)
        else:
            scale.append(found.scale**power)
            settled = settle(found.logarithm)
            constant, logarithm = split_terms(settled) if not is_row(settled) else _split_logarithm(settled)
            exponent += power * constant
            sums[logarithm] = sums.get(logarithm, sp.Integer(0)) + power
    if not sums:
        return expression
    others, is_pushed = _push(others, sums)
    if is_row(exponent) and not is_pushed:
        return expression
    weights: list[sp.Expr] = []
    for logarithm, power in sums.items():
        v, beside = logarithm.args
        while power <= -1 and not is_row(exponent) and _is_simpler(exponent - v, exponent):
            weights.append(Weights(v, beside))
            exponent, power = exponent - v, power + 1
        exponent += power * logarithm
    return settle(sp.Mul(*scale, *others, *weights, sp.exp(exponent)))


def _split_logarithm(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    logarithm = next(term for term in sp.Add.make_args(expression) if isinstance(term, LogTotal))
    return expression - logarithm, logarithm


def _is_simpler(remainder: sp.Expr, exponent: sp.Expr) -> bool:
    """Whether taking a v out of an exponent leaves less of it that varies."""
    varying = split_terms(remainder)[1]
    return bool(varying == 0 or sp.count_ops(varying) < sp.count_ops(split_terms(exponent)[1]))


def _push(others: list[sp.Expr], sums: dict[sp.Expr, sp.Expr]) -> tuple[list[sp.Expr], bool]:
    """Divide inside Total(a exp(v)) by the sum of exp(v): then nothing overflows."""
    pushed, is_pushed = [], False
    for factor in others:
        if isinstance(factor, Total):
            exponent, _ = _exponents(factor.args[0])
            for logarithm, power in sums.items():
                v, beside = logarithm.args
                if power <= -1 and exponent != 0 and _is_simpler(exponent - v, exponent):
                    divisor = Total(sp.exp(v)) + beside
                    factor = settle(Total(_gather_product(factor.args[0] / divisor)))
                    sums[logarithm] = power + 1
                    is_pushed = True
                    break
        pushed.append(factor)
    return pushed, is_pushed


def tidy(expression: sp.Expr) -> sp.Expr:
    """Turn exponentials that came of sigmoid and found no partner back into it."""
    return expression.replace(
        lambda part: isinstance(part, sp.exp) and isinstance(-part.args[0], softplus),
        lambda part: sigmoid(-(-part.args[0]).args[0]),
    )


def fold(expression: sp.Basic) -> sp.Basic:
    """Take factors into a choice of which one branch is 0: 0 where it holds, whatever the factors are there."""
    if not expression.args:
        return expression
    args = [fold(argument) for argument in expression.args]
    if isinstance(expression, sp.Piecewise):
        return sp.Piecewise(*((pair.args[0], pair.args[1]) for pair in args))
    rebuilt = expression.func(*args)
    if isinstance(rebuilt, sp.Mul):
        for i, factor in enumerate(rebuilt.args):
            if isinstance(factor, sp.Piecewise) and any(value == 0 for value, _ in factor.args):
                rest = fold(sp.Mul(*rebuilt.args[:i], *rebuilt.args[i + 1 :]))
                return sp.Piecewise(*((value * rest, condition) for value, condition in factor.args))
    return rebuilt


def centre(expression: sp.Basic) -> sp.Basic:
    """Recognise t - Total(W t) as Centred and g - W Total(g) as Spread, wherever they stand in sums."""
    if not expression.args:
        return expression
    args = [centre(argument) for argument in expression.args]
    if isinstance(expression, sp.Piecewise):
        return sp.Piecewise(*((pair.args[0], pair.args[1]) for pair in args))
    rebuilt = expression.func(*args)
    return _centre_sum(rebuilt) if isinstance(rebuilt, sp.Add) else rebuilt


def _centre_sum(expression: sp.Add) -> sp.Expr:
    for term in expression.args:
        for factor in sp.Mul.make_args(term):
            if isinstance(factor, Total):
                found = _centred(expression, term, factor) or _spread(expression, term, factor)
                if found is not None:
                    return _centre_sum(found) if isinstance(found, sp.Add) else found
    return expression


def _centred(expression: sp.Add, term: sp.Expr, reduced: sp.Expr) -> sp.Expr | None:
    coefficient = term / reduced
    if not is_row(coefficient):
        return None
    for weights in sp.Mul.make_args(reduced.args[0]):
        if isinstance(weights, Weights):
            centred = reduced.args[0] / weights
            rest = sp.expand(expression - term + coefficient * centred)
            if not is_row(centred) and _is_shorter(rest, expression, 1):
                return rest - coefficient * Centred(*weights.args, centred)
    return None


def _spread(expression: sp.Add, term: sp.Expr, reduced: sp.Expr) -> sp.Expr | None:
    for weights in sp.Mul.make_args(term):
        if isinstance(weights, Weights):
            coefficient = term / weights / reduced
            rest = sp.expand(expression - term + coefficient * reduced.args[0])
            if is_row(coefficient) and _is_shorter(rest, expression, 1):
                return rest - coefficient * Spread(*weights.args, reduced.args[0])
    return None


def _is_shorter(rest: sp.Expr, expression: sp.Add, least: int) -> bool:
    count = 0 if rest == 0 else len(sp.Add.make_args(rest))
    return count < len(sp.expand(expression).args) - least


__all__ = ["centre", "distributed", "fold", "gather", "settle", "tidy"]
