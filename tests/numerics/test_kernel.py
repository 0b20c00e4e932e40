"""Kernels as graphs, and what they cost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from actgen.numerics.kernel import OPERATIONS, Constant, Cost, Kernel, Variable
from actgen.numerics.lowering import call

X = Variable("x")
BETA = Variable("beta", is_parameter=True)


def test_a_node_with_two_users_is_counted_once() -> None:
    square = call("square", X)
    kernel = Kernel(call("add", call("exp", square), call("sin", call("square", Variable("x")))))
    assert kernel.cost == Cost(2, 0, 4)
    assert [node for node in kernel.nodes if node == square] == [square]
    assert kernel.users[square] == 2
    assert kernel.users[X] == 1


def test_an_operand_read_twice_by_one_node_has_two_users() -> None:
    assert Kernel(call("multiply", X, X)).users[X] == 2


def test_operands_come_before_their_users() -> None:
    shared = call("exp", X)
    kernel = Kernel(call("divide", shared, call("add", call("multiply", shared, BETA), Constant(1.0))))
    place = {node: i for i, node in enumerate(kernel.nodes)}
    assert all(place[operand] < place[node] for node in kernel.nodes for operand in node.operands)
    assert kernel.nodes[-1] == kernel.result
    assert len(set(kernel.nodes)) == len(kernel.nodes)


def test_a_chain_of_thousands_of_shared_nodes_is_linear_and_needs_no_recursion() -> None:
    """As a tree it has 2**2000 nodes; walked by recursion it overflows the stack."""
    node = call("square", X)
    for _ in range(2000):
        node = call("add", node, node)
    assert len(Kernel(node).nodes) == 2002


def test_the_order_of_cost_is_the_estimated_time_and_then_calls_and_divisions() -> None:
    """A polynomial of thirty operations costs more than two divisions, and less than two calls."""
    ranked = [Cost(2, 2, 10), Cost(2, 0, 32), Cost(3, 0, 14), Cost(4, 1, 5), Cost(4, 2, 1), Cost(4, 0, 9)]
    assert [cost.time for cost in ranked] == [56, 70, 71, 85, 85, 85]
    ordered = [*ranked[:3], ranked[5], *ranked[3:5]]
    assert all(a < b and a.rank < b.rank and not b < a for a, b in pairwise(ordered))
    assert not ranked[0] < ranked[0]


def test_variables_are_those_that_are_read_in_order_of_first_use() -> None:
    kernel = Kernel(call("multiply", BETA, call("add", X, BETA)))
    assert kernel.variables == (BETA, X)
    assert not kernel.is_constant
    assert Kernel(Constant(1.0)).is_constant


def test_equal_graphs_are_equal_and_different_ones_are_not() -> None:
    assert call("add", X, BETA) == call("add", X, BETA)
    assert hash(call("add", X, BETA)) == hash(call("add", X, BETA))
    assert call("add", X, BETA) != call("add", BETA, X)
    assert call("less", X, BETA) != call("greater", X, BETA)
    assert Constant(0.5) != Constant(0.5, "1/2")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_operation_has_a_name_an_arity_and_a_meaning(operation: object) -> None:
    assert operation in OPERATIONS.values()
    row = next(row for row in OPERATIONS.values() if row is operation)
    assert row.name in OPERATIONS
    assert 1 <= row.arity <= 3
    assert row.meaning


def test_only_comparisons_and_connectives_are_boolean() -> None:
    boolean = {name for name, row in OPERATIONS.items() if row.is_boolean}
    compared = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
    assert boolean == compared | {"both", "either"}
    assert call("less", X, BETA).is_boolean
    assert not call("select", call("less", X, BETA), X, BETA).is_boolean


def test_a_call_knows_the_variables_that_all_its_operands_read() -> None:
    both = call("multiply", call("exp", X), call("add", BETA, Constant(1.0)))
    assert both.variables == {X, BETA}
    assert call("exp", X).variables == {X}
    assert call("exp", Constant(1.0)).variables == frozenset()
    assert both.variables == set(Kernel(both).variables)


@pytest.mark.parametrize(
    ("meaning", "opposite"),
    [
        ("", ""),
        ("1/15!", "-1/15!"),
        ("-sqrt(2)/2", "sqrt(2)/2"),
        ("-pi + 4", "-(-pi + 4)"),
        ("the first digits of pi", "the first digits of -pi"),
    ],
)
def test_the_opposite_of_a_constant_tells_what_it_is(meaning: str, opposite: str) -> None:
    assert Constant(0.75, meaning, 2.0**-60).opposite == Constant(-0.75, opposite, -(2.0**-60))
