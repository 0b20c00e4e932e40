"""Candidates: the forms in which one formula could be computed, from the plainest to the most elaborate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, product
from typing import Literal, get_args

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import And

from actgen.numerics.algebraic import square_root_form
from actgen.numerics.fraction import one_fraction, with_plain_denominator
from actgen.numerics.kernel import Cost, Kernel, Node
from actgen.numerics.lowering import ORDERS, ZERO, call, choose, lower
from actgen.numerics.normal_form import normal_forms
from actgen.numerics.rules import rewrite
from actgen.numerics.scaled import NotScalableError, scaled_form
from actgen.numerics.shape import Shape
from actgen.numerics.turned import turned

_MOST_PIECES = 12
_MOST_TERMS = 8
_WORTH_SCALING = ("as declared", "rewritten", "expanded", "one fraction", "one fraction, as declared")


Stage = Literal["spelled", "normal", "scaled"]
Failure = Literal["far", "faint"]
"""Far: at large inputs. Faint: where the value is close to underflow, or to overflow."""


@dataclass(frozen=True)
class Candidate:
    """One way to compute a formula.

    Attributes:
        form: its name, for reports.
        kernel: the graph.
        is_certified: whether every sum in it was proved free of cancellation.
        against: the kinds of failure that it is made for, and not worth trying without.
    """

    form: str
    kernel: Kernel
    is_certified: bool = False
    against: frozenset[Failure] = frozenset()

    @property
    def cost(self) -> Cost:
        """What it costs per element."""
        return self.kernel.cost


@dataclass(frozen=True)
class _Way:
    """One way for one branch: the node and what is known of it."""

    node: Node
    names: Mapping[Node, str] = field(default_factory=dict)
    is_certified: bool = False
    against: frozenset[Failure] = frozenset()


@dataclass(frozen=True)
class Source:
    """A formula to find forms in.

    Attributes:
        expression: over the primitives.
        x: its variable: the input, or the product or quotient of the input and a parameter.
        known: the node of each symbol.
        shape: what turns its forms into those of the formula that is wanted; None where it is that formula.
        is_declared: whether it is the declared formula, or a derivative of it, and not of a rewritten one.
    """

    expression: sp.Expr
    x: sp.Symbol
    known: Mapping[sp.Basic, Node]
    shape: Shape | None = None
    is_declared: bool = True

    @classmethod
    def of_shape(cls, shape: Shape, known: Mapping[sp.Basic, Node]) -> Source:
        """The formula without its parameter."""
        return cls(shape.function, shape.z, {**known, shape.z: shape.node}, shape)

    def result(self, node: Node) -> Node:
        """The node of the formula that is wanted."""
        return node if self.shape is None else self.shape.scaled(node)


def stages(sources: Sequence[Source]) -> Iterator[list[Candidate]]:
    """Every form known for a formula, in stages: what comes later is longer to find and to compute.

    First the formula as it is spelled in several ways, then its normal forms, then scaled arithmetic. A ``Piecewise``
    is computed branch by branch, all branches in the same form as far as they have it.

    Args:
        sources: equal to one another.
    """
    seen: set[Node] = set()
    for source in sources:
        expression, x, known = source.expression, source.x, source.known
        folded = _folded(expression)
        nested = []
        if folded != expression:
            result = source.result(lower(expression, known))
            named = "as declared" if source.is_declared else "rewritten"
            nested = [Candidate(named, Kernel(result, {}, named))]
        pieces = folded.args if isinstance(folded, sp.Piecewise) else ((folded, sp.true),)
        values, conditions = zip(*pieces, strict=True)
        branches = [_Branch(value, x, known, sign) for value, sign in zip(values, signs(conditions, x), strict=True)]
        for stage in get_args(Stage):
            ways = [branch.ways(stage) for branch in branches]
            found = nested if stage == "spelled" else []
            for form in dict.fromkeys(name for branch in ways for name in branch):
                chosen = [
                    branch_ways.get(form) or branch.plain for branch_ways, branch in zip(ways, branches, strict=True)
                ]
                result = source.result(choose([way.node for way in chosen], conditions, known))
                names = {node: name for way in chosen for node, name in way.names.items()}
                is_certified = all(way.is_certified for way in chosen)
                against = frozenset().union(*(way.against for way in chosen))
                named = form if source.is_declared else form.replace("as declared", "rewritten")
                found.append(Candidate(named, Kernel(result, names, named), is_certified, against))
            fresh: dict[Node, Candidate] = {}
            for candidate in found:
                if candidate.kernel.result not in seen:
                    fresh.setdefault(candidate.kernel.result, candidate)
            seen |= fresh.keys()
            yield list(fresh.values())


def candidates(expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node]) -> Iterator[Candidate]:
    """The candidates of all stages for one expression."""
    return chain.from_iterable(stages((Source(expression, x, known),)))


class _Branch:
    """The forms of an expression without ``Piecewise`` at its top, by name.

    Args:
        expression: over the primitives.
        x: the input.
        known: the node of each symbol.
        sign: the sign of x where the branch is taken, as in :func:`signs`.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node], sign: int) -> None:
        self._x, self._known, self._sign = x, known, sign
        self._rewritten, applied = rewrite(expression)
        factored = sp.factor_terms(self._rewritten)
        self._spellings = {"as declared": expression, "rewritten": self._rewritten, "rewritten, factored": factored}
        if not applied:
            del self._spellings["rewritten"]
        expanded = sp.expand(self._rewritten)
        if isinstance(expanded, sp.Add) and len(expanded.args) <= _MOST_TERMS:
            self._spellings["expanded"] = expanded
        fraction = one_fraction(self._rewritten)
        if fraction is not None:
            self._spellings["one fraction"] = fraction
        declared = one_fraction(expression) if applied else None
        if declared is not None:
            # A rule may hide that two terms have a factor in common, as the power of a root.
            self._spellings["one fraction, as declared"] = declared
        self._spellings |= dict(turned(self._rewritten, x))
        spread = with_plain_denominator(fraction or factored, x)
        if spread is not None:
            self._spellings["one fraction, expanded"] = spread

    def ways(self, stage: Stage) -> dict[str, _Way]:
        """The forms of one stage."""
        found = {"spelled": self.spelled, "normal": self.normal, "scaled": self.scaled}[stage]()
        if self._halves is not None:
            found |= self._mirrored(stage)
        return found

    @cached_property
    def _halves(self) -> tuple[_Branch, _Branch] | None:
        """The formula in a = |x|, for x < 0 and for x > 0; None where it does not read |x| or the sign of x."""
        x = self._x
        if not self._rewritten.has(sp.Abs(x), sp.sign(x)):
            return None
        # Not a positive symbol: SymPy would look for the sign of every sum with it, for minutes.
        a = sp.Dummy("a", real=True)
        known = {**self._known, a: call("absolute", self._known[x])}
        below, above = (
            _Branch(
                self._rewritten.xreplace({sp.Abs(x): end * x, sp.sign(x): sp.Integer(end)}).xreplace({x: end * a}),
                a,
                known,
                1,
            )
            for end in (-1, 1)
        )
        return below, above

    def _mirrored(self, stage: Stage) -> dict[str, _Way]:
        """The forms in |x|. An odd or even formula needs one half only, and has its sign restored exactly."""
        assert self._halves is not None
        below, above = self._halves
        x = self._known[self._x]
        is_even = sp.cancel(sp.together(above._rewritten - below._rewritten)) == 0
        is_odd = not is_even and sp.cancel(sp.together(above._rewritten + below._rewritten)) == 0
        others = {} if is_even or is_odd else below.ways(stage)
        found = {}
        for name, way in above.ways(stage).items():
            node, names = way.node, way.names
            if is_odd:
                node = call("multiply", call("sign", x), node)
            elif not is_even:
                other = others.get(name) or below.plain
                node = call("select", call("less", x, ZERO), other.node, node)
                names = {**other.names, **names}
            found[f"in |x|, {name}"] = _Way(node, names, way.is_certified and is_even | is_odd, way.against)
        return found

    @cached_property
    def plain(self) -> _Way:
        """The form that stands in where a branch does not have the one that others have."""
        return _Way(lower(self._rewritten, self._known))

    def spelled(self) -> dict[str, _Way]:
        """The formula in several spellings, products in several orders."""
        return {
            form + suffix: _Way(lower(spelling, self._known, order))
            for form, spelling in self._spellings.items()
            for suffix, order in ORDERS.items()
        }

    def normal(self) -> dict[str, _Way]:
        """The normal forms and the square-root form, where there are such."""
        ways = {}
        for suffix, order in ORDERS.items():
            root = square_root_form(self._rewritten, self._x, self._known, order)
            if root is not None:
                ways["square-root form" + suffix] = _Way(root)
        for form in normal_forms(self._rewritten, self._x, self._known, self._sign):
            against: frozenset[Failure] = frozenset({"far"}) if form.is_for_far else frozenset()
            ways[form.name] = _Way(form.result, form.names, form.is_certified, against)
        return ways

    def scaled(self) -> dict[str, _Way]:
        """Every spelling in scaled arithmetic, exponentials multiplied in in several ways."""
        ways = {}
        spellings = {name: form for name, form in self._spellings.items() if name in _WORTH_SCALING}
        for name, spelling in spellings.items():
            for powers, halved in product((False, True), ("", "halved", "halved in the tail")):
                try:
                    kernel = scaled_form(spelling, self._x, self._known, powers=powers, halved=halved)
                except NotScalableError:
                    continue
                form = ", ".join(part for part in (name, "powers scaled" if powers else "scaled", halved) if part)
                against: set[Failure] = {"far"} if powers else set()
                against |= {"faint"} if halved else set()
                ways[form] = _Way(kernel.result, kernel.names, against=frozenset(against))
        return ways


def signs(conditions: Sequence[sp.Basic], x: sp.Symbol) -> tuple[int, ...]:
    """For each piece the sign that x has wherever the piece is taken (zero included): 1, -1, or 0 where it has both."""
    found = []
    below = above = False  # whether the pieces so far have taken all x < 0, all x > 0
    for condition in conditions:
        side = _side(condition, x)
        found.append(side or (1 if below and not above else -1 if above and not below else 0))
        negated = _side(sp.Not(condition), x) if isinstance(condition, Relational) else 0
        below, above = below or negated > 0, above or negated < 0
    return tuple(found)


def _side(condition: sp.Basic, x: sp.Symbol) -> int:
    """1 where a condition implies x >= 0, -1 where it implies x <= 0, else 0."""
    if isinstance(condition, And):
        return next((side for part in condition.args if (side := _side(part, x))), 0)
    if not isinstance(condition, Relational):
        return 0
    if condition.lhs != x:
        condition = condition.reversed
    if condition.lhs != x or condition.rhs.has(x):
        return 0
    if isinstance(condition, sp.StrictGreaterThan | sp.GreaterThan) and condition.rhs.is_nonnegative:
        return 1
    return -1 if isinstance(condition, sp.StrictLessThan | sp.LessThan) and condition.rhs.is_nonpositive else 0


def _folded(expression: sp.Expr) -> sp.Expr:
    """A ``Piecewise`` inside arithmetic moved to the top, unless that makes too many pieces."""
    if not expression.has(sp.Piecewise) or isinstance(expression, sp.Piecewise):
        return expression
    folded = sp.piecewise_fold(expression)
    return folded if isinstance(folded, sp.Piecewise) and len(folded.args) <= _MOST_PIECES else expression
