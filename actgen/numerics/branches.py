"""The branch of a formula that holds on a stretch of the line, without ``Piecewise``, ``Abs``, ``sign`` and ``floor``.

A Taylor series exists where a formula is analytic. Over a ball of inputs, every condition is either decided for the
whole ball, and then the branch is an analytic formula, or it is not, and then the stretch has to be cut.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy as sp
from flint import arb
from sympy.core.relational import Relational

from actgen.symbolic.balls import BallFunction

Decide = Callable[[BallFunction], Any]
"""What a compiled condition is over a stretch, True or False, or a compiled argument, a ball; None where not known."""


class Branch:
    """A formula partly resolved: either analytic already, or with the next thing to decide.

    Branches are made once for each outcome and kept, so that resolving a formula on thousands of stretches costs a few
    balls on each.

    Args:
        expression: over the primitives, in one variable.
        x: the variable.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol) -> None:
        self.expression = expression
        self.x = x
        self._question = _first_question(expression)
        self._tests = [] if self._question is None else _tests(self._question, x)
        self._next: dict[Any, Branch] = {}

    def resolve(self, decide: Decide) -> Branch | None:
        """The analytic branch on a stretch, or None where a condition is not decided there.

        Args:
            decide: evaluates a condition, or the argument of ``floor``, over the stretch.
        """
        branch = self
        while branch._question is not None:
            outcome = next(
                (o for o in (meet(decide(function)) for function, meet in branch._tests) if o is not None), None
            )
            if outcome is None:
                return None
            if outcome not in branch._next:
                replaced = branch.expression.xreplace({branch._question: _meaning(branch._question, outcome)})
                branch._next[outcome] = Branch(replaced, self.x)
            branch = branch._next[outcome]
        return branch


def _first_question(expression: sp.Expr) -> sp.Basic | None:
    """A condition of an outermost ``Piecewise``, or an ``Abs``, ``sign`` or ``floor``, that holds no other inside."""
    piecewise = next((node for node in sp.preorder_traversal(expression) if isinstance(node, sp.Piecewise)), None)
    if piecewise is not None:
        condition = next(condition for _, condition in piecewise.args if condition is not sp.true)
        inner = _first_question(condition) if _kinks(condition) else None
        return inner or min(condition.atoms(Relational), key=sp.default_sort_key)
    return min(_kinks(expression), key=lambda node: (len(_kinks(node)), sp.default_sort_key(node)), default=None)


def _kinks(node: sp.Basic) -> set[sp.Basic]:
    return set(node.atoms(sp.Abs, sp.sign, sp.floor))


def _tests(question: sp.Basic, x: sp.Symbol) -> list[tuple[BallFunction, Callable[[Any], int | None]]]:
    """What is to be decided, one after the other, until one gives the outcome: a truth, a sign or a whole number."""
    if isinstance(question, Relational):
        return [(BallFunction(question, (x,)), lambda truth: None if truth is None else int(truth))]
    (argument,) = question.args
    if isinstance(question, sp.floor):
        return [(BallFunction(argument, (x,)), _whole)]
    return [
        (BallFunction(condition, (x,)), partial(_if_true, sign))
        for condition, sign in ((argument > 0, 1), (argument < 0, -1), (sp.Eq(argument, 0), 0))
    ]


def _if_true(outcome: int, truth: bool | None) -> int | None:
    return outcome if truth else None


def _whole(ball: arb | None) -> int | None:
    number = None if ball is None or not ball.is_finite() else ball.floor().unique_fmpz()
    return None if number is None else int(number)


def _meaning(question: sp.Basic, outcome: Any) -> sp.Basic:
    if isinstance(question, Relational):
        return sp.true if outcome else sp.false
    if isinstance(question, sp.Abs):
        return outcome * question.args[0]
    return sp.Integer(outcome)
