"""Random formulas of the whole grammar, as people might write them, with up to two parameters."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from actgen.spec.expression import read_expression
from actgen.spec.vocabulary import FUNCTIONS
from actgen.symbolic.binding import bind
from tests.symbolic.reading import x

UNARY = sorted(name for name, entry in FUNCTIONS.items() if entry.arity == (1, 1))
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

POSITIVE = sp.Symbol("alpha", positive=True, real=True)
REAL = sp.Symbol("beta", real=True)
PARAMETERS = (POSITIVE, REAL)
SETTINGS = ({"alpha": Fraction(3, 4), "beta": Fraction(-13, 10)}, {"alpha": Fraction(5, 2), "beta": Fraction(3, 5)})
"""Values for both parameters."""


def texts(depth: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Formulas up to a depth: every function, operator and comparison of the grammar, nested anyhow.

    Args:
        depth: of the composition.
        names: of the parameters that may occur.
    """
    leaf = st.sampled_from(["x", "x", "x", "x", "2", "1/3", "0.5", "pi", *names, *names])
    if depth == 0:
        return leaf
    inner = texts(depth - 1, names)
    shallow = texts(min(depth - 1, 1), names)
    bounds = st.sampled_from(["1", "2", *(name for name in names if name == "alpha")])
    return st.one_of(
        leaf,
        st.builds("{}({})".format, st.sampled_from(UNARY), inner),
        st.builds("{}({})".format, st.sampled_from(UNARY), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("({})**{}".format, inner, st.sampled_from(["2", "3", "(-1)", "(1/2)", "(1/3)", "(-3/2)"])),
        st.builds("{}({}, {})".format, st.sampled_from(["Max", "Min"]), inner, inner),
        st.builds("clip({}, -1, {})".format, inner, bounds),
        st.builds(
            "Piecewise(({}, {} {} {}), ({}, True))".format,
            inner,
            shallow,
            st.sampled_from(COMPARISONS),
            shallow,
            inner,
        ),
    )


def parsed(text: str) -> sp.Expr | None:
    """The formula, or None where the spec room refuses it: divisions by 0, branches that are never reached."""
    reading = read_expression(text, {"x": x, **{symbol.name: symbol for symbol in PARAMETERS}})
    if reading.expression is None or not reading.expression.has(x):
        return None
    return bind(reading.expression, (x,))
