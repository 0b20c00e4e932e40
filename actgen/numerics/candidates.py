"""Candidates: the forms in which one formula could be computed, from the plainest to the most elaborate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from actgen.numerics.algebraic import square_root_form
from actgen.numerics.kernel import Cost, Kernel, Node
from actgen.numerics.lowering import ORDERS, choose, lower
from actgen.numerics.normal_form import normal_forms
from actgen.numerics.rules import rewrite

_MOST_PIECES = 12


@dataclass(frozen=True)
class Candidate:
    """One way to compute a formula.

    Attributes:
        form: its name, for reports.
        kernel: the graph.
        is_certified: whether every sum in it was proved free of cancellation.
    """

    form: str
    kernel: Kernel
    is_certified: bool = False

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


def candidates(expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node]) -> Iterator[Candidate]:
    """Every form known for an expression, plain ones first; distinct as graphs.

    A ``Piecewise`` is computed branch by branch, all branches in the same form as far as they have it.

    Args:
        expression: over the primitives.
        x: the input.
        known: the node of each symbol.
    """
    seen: set[Node] = set()
    folded = _folded(expression)
    if folded != expression:
        nested = lower(expression, known)
        seen.add(nested)
        yield Candidate("as declared", Kernel(nested, {}, "as declared"))
    pieces = folded.args if isinstance(folded, sp.Piecewise) else ((folded, sp.true),)
    values, conditions = zip(*pieces, strict=True)
    branches = [_ways(value, x, known) for value in values]
    for form in dict.fromkeys(name for ways in branches for name in ways):
        chosen = [ways.get(form, ways["rewritten"]) for ways in branches]
        result = choose([way.node for way in chosen], conditions, known)
        if result not in seen:
            seen.add(result)
            names = {node: name for way in chosen for node, name in way.names.items()}
            yield Candidate(form, Kernel(result, names, form), all(way.is_certified for way in chosen))


def _ways(expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node]) -> dict[str, _Way]:
    """The forms of an expression without ``Piecewise`` at its top, by name."""
    rewritten, _ = rewrite(expression)
    spellings = {"as declared": expression, "rewritten": rewritten, "rewritten, factored": sp.factor_terms(rewritten)}
    fraction = _one_fraction(rewritten)
    if fraction is not None:
        spellings["one fraction"] = fraction
    ways = {
        form + suffix: _Way(lower(spelling, known, order))
        for form, spelling in spellings.items()
        for suffix, order in ORDERS.items()
    }
    for suffix, order in ORDERS.items():
        root = square_root_form(rewritten, x, known, order)
        if root is not None:
            ways["square-root form" + suffix] = _Way(root)
    for form in normal_forms(rewritten, x, known):
        ways[form.name] = _Way(form.result, form.names, form.is_certified)
    return ways


def _one_fraction(expression: sp.Expr) -> sp.Expr | None:
    """Numerator and denominator in lowest terms and in factors, every function counting as a variable."""
    functions = sorted(expression.atoms(sp.Function), key=sp.default_sort_key)
    names = {function: sp.Dummy(real=True) for function in functions}
    body = expression.xreplace(names)
    if not isinstance(expression, sp.Add) or not body.is_rational_function(*body.free_symbols):
        return None
    return sp.factor(sp.together(body)).xreplace({name: function for function, name in names.items()})


def _folded(expression: sp.Expr) -> sp.Expr:
    """A ``Piecewise`` inside arithmetic moved to the top, unless that makes too many pieces."""
    if not expression.has(sp.Piecewise) or isinstance(expression, sp.Piecewise):
        return expression
    folded = sp.piecewise_fold(expression)
    return folded if isinstance(folded, sp.Piecewise) and len(folded.args) <= _MOST_PIECES else expression
