"""Intervals hold whatever a node can be, and are tight where a cheaper way to compute hangs on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actgen.numerics.emulation import run
from actgen.numerics.interval import EVERYWHERE, interval
from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable

X = Variable("x")
T = Call("exp", (Call("negate", (Call("absolute", (X,)),)),))
ONE = Constant(1.0)

UNARY = ("negate", "absolute", "square", "exp", "sigmoid", "tanh", "log1p", "sqrt", "floor")
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


def _grown(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    unary = st.builds(lambda name, a: Call(name, (a,)), st.sampled_from(UNARY), nodes)
    binary = st.builds(lambda name, a, b: Call(name, (a, b)), st.sampled_from(BINARY), nodes, nodes)
    chosen = st.builds(lambda a, b: Call("select", (Call("greater", (X, ONE)), a, b)), nodes, nodes)
    held = st.builds(lambda a: Call("clamp", (a, Constant(-2.0), Constant(0.5))), nodes)
    return unary | binary | chosen | held


NODES: st.SearchStrategy[Node] = st.recursive(
    st.just(X) | st.floats(-4, 4).map(Constant) | st.just(Constant(math.inf)), _grown, max_leaves=8
)


@given(NODES, st.lists(st.floats(), min_size=1, max_size=20))
def test_what_a_node_is_lies_within(node: Node, values: list[float]) -> None:
    low, high = interval(node)
    got = np.atleast_1d(run(Kernel(node), {"x": np.array(values)}, "float64"))
    got = got[~np.isnan(got)]
    assert np.all(got >= low - 1e-9 * max(1.0, min(abs(low), 1e300)))
    assert np.all(got <= high + 1e-9 * max(1.0, min(abs(high), 1e300)))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (T, (0.0, 1.0)),
        (Call("divide", (T, Call("add", (ONE, T)))), (0.0, 1.0)),
        (Call("negate", (T,)), (-1.0, 0.0)),
        (Call("multiply", (T, Call("tanh", (X,)))), (-1.0, 1.0)),
        (Call("select", (Call("less", (X, ONE)), T, Constant(3.0))), (0.0, 3.0)),
        (Call("clamp", (X, Constant(-0.5), ONE)), (-0.5, 1.0)),
        (Call("divide", (ONE, Call("tanh", (X,)))), EVERYWHERE),
        (Call("multiply", (Constant(0.0), X)), EVERYWHERE),
        (Call("sin", (X,)), EVERYWHERE),
    ],
)
def test_known_intervals(node: Any, expected: tuple[float, float]) -> None:
    assert interval(node) == expected
