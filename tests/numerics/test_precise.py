"""Functions to more digits than a float has: each put right on machines that are off by more than any that is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sympy.parsing.sympy_parser import factorial_notation, parse_expr, standard_transformations

from actgen.numerics import compensation, contract, precise
from actgen.numerics.compensation import compensated
from actgen.numerics.emulation import Arithmetic, run
from actgen.numerics.kernel import OPERATIONS, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call, lower
from actgen.numerics.oracle import Oracle
from actgen.numerics.twofold import Twofold
from actgen.symbolic.derivatives import differentiate
from tests.symbolic.reading import formula, x

X = Variable("x")
FUNCTIONS = (
    *("exp", "sigmoid", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "asinh", "atan"),
    *("sin", "cos", "tan", "erf", "erfc"),
)
ROUGH = Arithmetic(
    "rough", errors={name: (9.0, 9.0) for name, row in OPERATIONS.items() if row.rank == "transcendental"}
)
"""What a function may be off by; its emulation is off by 4/5 of that at most."""


def points(name: str, dtype: str) -> NDArray[np.float64]:
    sizes = np.concatenate([np.geomspace(1e-30, 1e-3, 60), np.geomspace(1e-3, 85.0, 600), np.geomspace(85, 1e30, 60)])
    if name in ("sin", "cos", "tan"):
        sizes = sizes[sizes < 900]
    if name in ("sinh", "cosh", "exp"):
        sizes = sizes[sizes < 80]
    both = sizes if name == "log" else np.concatenate([sizes, -sizes[sizes < 0.999 if name == "log1p" else sizes > 0]])
    return np.unique(both.astype(dtype)).astype(np.float64)


def units(name: str, dtype: str) -> tuple[float, float]:
    """The largest error as the machine has it, and put right."""
    expression = formula(f"{name}(x)")
    places = points(name, dtype)
    exact = Oracle(expression, x)(places, {})
    slope = Oracle(differentiate(expression, x), x, bits=20)
    plain = Kernel(call(name, X))
    found = []
    for kernel in (plain, compensated(plain, precisely=True)):
        results = run(kernel, {"x": places}, dtype, ROUGH)
        found.append(contract.errors(places, results, exact, lambda some: np.abs(slope(some, {}).high)).worst)
    return found[0], found[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_machine_is_off_by_is_put_right(name: str, dtype: str) -> None:
    """A wrong coefficient, or a part of a period too few, leaves several of the seven ULP."""
    before, after = units(name, dtype)
    assert before > 3
    assert after < 1.35


def without_second_part(a: Node, count: Node, period: object) -> object:
    first = precise._three_parts(period)[0]
    return Twofold(call("subtract", a, call("multiply", count, first)))


MUTANTS: dict[str, tuple[str, Callable[..., object] | tuple[object, ...]]] = {
    "_reduced": ("exp", without_second_part),
    "_BEYOND_LINE": ("exp", precise._BEYOND_LINE[:3]),
    "_OF_SINE": ("sin", precise._OF_SINE[:2]),
    "_OF_COSINE": ("cos", precise._OF_COSINE[:2]),
    "_OF_ERF": ("erf", precise._OF_ERF[:6]),
}
"""Parts that are wrong or too short, each with a function that must show it."""


@pytest.mark.parametrize("part", MUTANTS)
def test_a_wrong_part_shows(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wrong = MUTANTS[part]
    monkeypatch.setattr(precise, part, wrong)
    assert units(name, "float32")[1] > 1.35 or units(name, "float64")[1] > 1.35


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_infinities_nan_and_zero_are_what_they_were(name: str, dtype: str) -> None:
    """Corrections are not numbers there, and must not reach the result."""
    largest, tiny = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    places = np.array([np.inf, -np.inf, np.nan, 0.0, largest, -largest, tiny, -tiny])
    if name in ("log", "log1p"):
        places = places[~(places < -1)]
    if name in ("sin", "cos", "tan"):
        places = places[~(np.abs(places) > 1e30)]
    before = run(Kernel(call(name, X)), {"x": places}, dtype)
    after = run(compensated(Kernel(call(name, X)), precisely=True), {"x": places}, dtype)
    np.testing.assert_allclose(after, before, rtol=4 * float(np.finfo(dtype).eps), atol=2 * tiny)


@pytest.mark.parametrize("exponent", ["1/3", "-2/7", "17/10"])
def test_a_power_keeps_its_digits_far_out(exponent: str) -> None:
    """The exponent is rounded, and the logarithm is up to 700: a float's digits of either would be 100 ULP."""
    expression = formula(f"x**({exponent})")
    places = np.geomspace(1e-150, 1e150, 600)
    exact = Oracle(expression, x)(places, {})
    kernel = compensated(Kernel(lower(expression, {x: X})), precisely=True)
    found = run(kernel, {"x": places}, "float64", ROUGH)
    assert (np.abs(found - exact.high) / np.spacing(exact.high)).max() < 2


def test_every_function_that_kernels_call_is_known() -> None:
    called = {name for name, row in OPERATIONS.items() if row.rank == "transcendental"}
    assert called == {*precise._CORRECTED, *compensation._PRECISE_RULES, *compensation._REPLACED}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_constant_is_the_number_that_its_comment_tells(name: str) -> None:
    kernel = compensated(Kernel(call("negate", call(name, X))), precisely=True)
    told = [node for node in kernel.nodes if isinstance(node, Constant) and node.meaning]
    for constant in told:
        what, _, number = constant.meaning.rpartition("digits of ")
        exact = float(parse_expr(number, transformations=(*standard_transformations, factorial_notation)))
        if not what:
            assert constant.value == pytest.approx(exact, rel=1e-15, abs=0)
        elif "first" in what:
            assert constant.value == pytest.approx(exact, rel=2e-3, abs=0)
