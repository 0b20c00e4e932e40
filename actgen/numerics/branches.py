"""The branch of a formula that holds on a stretch of the line, without ``Piecewise``, ``Abs``, ``sign`` and ``floor``.

A Taylor series exists where a formula is analytic. Over a ball of inputs, every condition is either decided for the
whole ball, and then the branch is an analytic formula, or it is not, and then the stretch has to be cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from actgen.symbolic.balls import BallFunction

Decide = Callable[[BallFunction], Any]
"""What a compiled condition or argument is over a stretch: True, False or a ball; None where that is not known."""

_UNDECIDED = object()


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
        self._function = None if self._question is None else BallFunction(_subject(self._question), (x,))
        self._next: dict[Any, Branch] = {}

    def resolve(self, decide: Decide) -> Branch | None:
        """The analytic branch on a stretch, or None where a condition is not decided there.

        Args:
            decide: evaluates a condition, or the argument of ``Abs``, ``sign`` or ``floor``, over the stretch.
        """
        branch = self
        while branch._question is not None:
            assert branch._function is not None
            outcome = _outcome(branch._question, decide(branch._function))
            if outcome is _UNDECIDED:
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


def _subject(question: sp.Basic) -> sp.Expr:
    return question if isinstance(question, Relational) else question.args[0]


def _outcome(question: sp.Basic, found: Any) -> Any:
    if found is None or isinstance(question, Relational):
        return _UNDECIDED if found is None else found
    if not found.is_finite():
        return _UNDECIDED
    if isinstance(question, sp.floor):
        whole = found.floor().unique_fmpz()
        return _UNDECIDED if whole is None else int(whole)
    if found > 0 or found < 0:
        return 1 if found > 0 else -1
    return 0 if found.is_zero() else _UNDECIDED


def _meaning(question: sp.Basic, outcome: Any) -> sp.Basic:
    if isinstance(question, Relational):
        return sp.true if outcome else sp.false
    if isinstance(question, sp.Abs):
        return outcome * question.args[0]
    return sp.Integer(outcome)
