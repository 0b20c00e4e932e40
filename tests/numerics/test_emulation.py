"""The emulated machine: one rounding an operation, subnormals flushed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actgen.numerics.emulation import EVALUATIONS, IDEAL, Arithmetic, Emulator, Functions, run
from actgen.numerics.kernel import OPERATIONS, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call

A, B, C = Variable("a"), Variable("b"), Variable("c")
NAN, INF = math.nan, math.inf


def test_the_emulator_knows_every_operation_and_no_other() -> None:
    assert set(EVALUATIONS) == set(OPERATIONS)


MEANINGS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "absolute": abs,
    "sign": lambda a: math.copysign(1, a) if a else 0.0,
    "copysign": math.copysign,
    "square": lambda a: a * a,
    "maximum": max,
    "minimum": min,
    "clamp": lambda a, b, c: min(max(a, b), c),
    "floor": math.floor,
    "sqrt": math.sqrt,
    "power": math.pow,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    **{name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "asinh", "atan")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "erf", "erfc")},
}
POSITIVE = {"log", "sqrt", "power", "log1p"}


@pytest.mark.parametrize("name", MEANINGS)
def test_each_operation_does_what_its_row_says_correctly_rounded(name: str) -> None:
    """Python's own function at float32 arguments, rounded once to float32, is the answer to the last bit."""
    arity = OPERATIONS[name].arity
    kernel = Kernel(call(name, *(A, B, C)[:arity]))
    for a in (0.7, 1.9, 3.0) if name in POSITIVE else (-2.6, -0.3, 0.7, 1.9):
        arguments = [float(np.float32(value)) for value in (a, -0.5 if name == "clamp" else 1.3, 0.9)[:arity]]
        values = dict(zip("abc", arguments, strict=False))
        assert run(kernel, values, "float32") == np.float32(MEANINGS[name](*arguments)), arguments
        wide = float(run(kernel, values, "float64"))
        assert wide == pytest.approx(MEANINGS[name](*arguments), rel=4e-16)


@pytest.mark.parametrize(("dtype", "kept"), [("float32", 12), ("float64", 26)])
def test_a_head_has_half_the_digits_and_what_is_left_of_it_the_other_half(dtype: str, kept: int) -> None:
    """Dekker's product is exact only then: 25 digits of 12 by 13 would be rounded in float32."""
    values = (np.random.default_rng(0).standard_normal(1000) * 2.0 ** np.arange(-100, 100).repeat(5)).astype(dtype)
    heads = run(Kernel(call("head", A)), {"a": values}, dtype)
    digits = np.frexp(heads)[0] * 2.0**kept
    assert (digits == np.trunc(digits)).all()
    assert (np.abs(heads) <= np.abs(values)).all()
    assert (np.abs(values - heads) < 2.0 ** (1 - kept) * np.abs(values)).all()
    assert np.array_equal(run(Kernel(call("head", A)), {"a": np.array([0.0, INF])}, dtype), [0.0, INF])


def test_comparisons_and_connectives_select() -> None:
    for name, holds in {
        "less": (True, False, False),
        "less_equal": (True, True, False),
        "greater": (False, False, True),
        "greater_equal": (False, True, True),
        "equal": (False, True, False),
        "not_equal": (True, False, True),
    }.items():
        kernel = Kernel(call("select", call(name, A, Constant(1.0)), Constant(1.0), Constant(0.0)))
        assert run(kernel, {"a": np.array([0.0, 1.0, 2.0])}, "float32").astype(bool).tolist() == list(holds), name
        # NaN fails every comparison but !=
        assert bool(run(kernel, {"a": NAN}, "float32")) == (name == "not_equal")
    inside = call("both", call("greater", A, Constant(0.0)), call("less", A, Constant(1.0)))
    outside = call("either", call("less", A, Constant(0.0)), call("greater", A, Constant(1.0)))
    for condition, expected in ((inside, [0, 1, 0]), (outside, [1, 0, 1])):
        kernel = Kernel(call("select", condition, Constant(1.0), Constant(0.0)))
        assert run(kernel, {"a": np.array([-1.0, 0.5, 2.0])}, "float32").tolist() == expected


@pytest.mark.parametrize("name", ["maximum", "minimum", "clamp", "sign", "copysign", "absolute", "square", "sigmoid"])
def test_nan_comes_out_as_nan(name: str) -> None:
    arity = OPERATIONS[name].arity
    kernel = Kernel(call(name, *(A, Constant(-1.0), Constant(1.0))[:arity]))
    assert np.isnan(run(kernel, {"a": NAN}, "float32"))


def test_an_extreme_passes_nan_on_from_either_side() -> None:
    for name in ("maximum", "minimum"):
        assert np.isnan(run(Kernel(call(name, Constant(1.0), A)), {"a": NAN}, "float64"))


def test_every_intermediate_is_rounded_to_the_type() -> None:
    """(1 + 2**-30) - 1 is 0 in float32 and 2**-30 in float64; one rounding at the end would give 2**-30 in both."""
    kernel = Kernel(call("subtract", call("add", A, Constant(1.0)), Constant(1.0)))
    assert run(kernel, {"a": 2.0**-30}, "float32") == 0.0
    assert run(kernel, {"a": 2.0**-30}, "float64") == 2.0**-30


def test_an_intermediate_overflows_where_the_type_does() -> None:
    kernel = Kernel(call("sqrt", call("square", A)))
    assert run(kernel, {"a": 1e20}, "float32") == np.float32(INF)
    assert run(kernel, {"a": 1e20}, "float64") == 1e20
    assert run(kernel, {"a": 1e200}, "float64") == INF


def test_subnormals_are_flushed_with_their_sign_in_and_out() -> None:
    halved = Kernel(call("multiply", A, Constant(0.5)))
    tiny = float(np.finfo(np.float32).tiny)
    for sign in (1.0, -1.0):
        result = run(halved, {"a": sign * tiny}, "float32")
        assert result == 0.0
        assert np.signbit(result) == (sign < 0)
    assert run(Kernel(call("multiply", A, Constant(2.0**100))), {"a": tiny / 2}, "float32") == 0.0
    assert run(halved, {"a": 4 * tiny}, "float32") == 2 * tiny


def test_constants_and_inputs_are_rounded_to_the_type_first() -> None:
    assert run(Kernel(A), {"a": 0.1}, "float32") == np.float32(0.1)
    assert run(Kernel(call("add", A, Constant(0.1))), {"a": 0.0}, "float32") == np.float32(0.1)


def test_arrays_and_numbers_broadcast_and_the_type_is_kept() -> None:
    result = run(Kernel(call("add", A, B)), {"a": np.arange(3.0), "b": 1.0}, "float32")
    assert result.tolist() == [1, 2, 3]
    assert result.dtype == np.float32


ROUGH = Arithmetic("rough", flushes=False, errors={"exp": (3.0, 1.5), "tanh": (0.5, 0.5)})
GRID = np.linspace(-20.3, 20.7, 4001)


def ulps_off(arithmetic: Arithmetic, name: str, dtype: str) -> np.ndarray:
    """How far an operation is from the correctly rounded one over a grid, in ULP."""
    kernel = Kernel(call(name, A))
    ideal, found = (run(kernel, {"a": GRID}, dtype, machine) for machine in (IDEAL, arithmetic))
    return np.asarray((found - ideal) / np.spacing(np.abs(ideal)), dtype=np.float64)


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 3.0), ("float64", 1.5)])
def test_a_primitive_is_off_by_what_was_measured_and_no_more(dtype: str, bound: float) -> None:
    """To both sides, and nearly as far as the bound: noise that stayed small would excuse every form."""
    off = ulps_off(ROUGH, "exp", dtype)
    assert np.abs(off).max() <= bound
    assert off.max() >= math.floor(bound - 0.5)
    assert off.min() <= -math.floor(bound - 0.5)
    assert abs(off.mean()) < 0.1


def test_what_is_measured_as_correctly_rounded_or_not_at_all_has_no_noise() -> None:
    for name in ("tanh", "sin", "add"):
        kernel = Kernel(call(name, *(A, B)[: OPERATIONS[name].arity]))
        assert (
            run(kernel, {"a": GRID, "b": 0.1}, "float32", ROUGH) == run(kernel, {"a": GRID, "b": 0.1}, "float32")
        ).all()


def test_noise_depends_on_the_operand_alone_and_so_is_the_same_in_every_build() -> None:
    """Whatever else the array holds, and in whichever order."""
    kernel = Kernel(call("exp", A))
    all_at_once = run(kernel, {"a": GRID}, "float32", ROUGH)
    assert (run(kernel, {"a": GRID[::-1]}, "float32", ROUGH)[::-1] == all_at_once).all()
    assert [float(run(kernel, {"a": point}, "float32", ROUGH)) for point in GRID[:40]] == all_at_once[:40].tolist()
    wide = Arithmetic("both", errors={"exp": (3.0, 3.0), "expm1": (3.0, 3.0)})
    assert not np.array_equal(np.sign(ulps_off(wide, "exp", "float32")), np.sign(ulps_off(wide, "expm1", "float32")))


def test_what_is_exact_stays_exact() -> None:
    machine = Arithmetic("rough everywhere", errors=dict.fromkeys(OPERATIONS, (4.0, 4.0)))
    for name, point, value in (
        ("exp", 0.0, 1.0),
        ("sin", 0.0, 0.0),
        ("log", 1.0, 0.0),
        ("sqrt", 4.0, 2.0),
        ("exp", -INF, 0.0),
    ):
        assert float(run(Kernel(call(name, A)), {"a": point}, "float32", machine)) == value
    assert float(run(Kernel(call("exp", A)), {"a": 1000.0}, "float32", machine)) == INF
    assert math.isnan(run(Kernel(call("exp", A)), {"a": NAN}, "float32", machine))
    # 1 + 1e-12 is all but 1 on a machine that is off by 4 ULP where results lie between two floats.
    assert float(run(Kernel(call("exp", A)), {"a": 1e-12}, "float32", machine)) == 1.0


@pytest.mark.parametrize("flushes", [True, False])
def test_noise_turns_no_sign(flushes: bool) -> None:
    """exp(-200) is 0 and never -0: 1 over it is inf, and its logarithm no NaN."""
    machine = Arithmetic("rough", flushes=flushes, errors={"exp": (4.0, 4.0), "sin": (4.0, 4.0)})
    for dtype, points in (("float32", np.linspace(-140, -87, 3001)), ("float64", np.linspace(-800, -708, 3001))):
        found = run(Kernel(call("exp", A)), {"a": points}, dtype, machine)
        assert not np.signbit(found).any()
        reciprocal = run(Kernel(call("divide", Constant(1.0), call("exp", A))), {"a": points}, dtype, machine)
        assert (reciprocal > 0).all()
    tiny = np.geomspace(1e-45, 1e-36, 500)
    assert not np.signbit(run(Kernel(call("sin", A)), {"a": tiny}, "float32", machine)).any()


def test_a_machine_that_keeps_subnormals_keeps_them_in_and_out() -> None:
    halved = Kernel(call("multiply", A, Constant(0.5)))
    tiny = float(np.finfo(np.float32).tiny)
    gradual = Arithmetic("gradual", flushes=False)
    assert float(run(halved, {"a": tiny}, "float32", gradual)) == tiny / 2
    assert float(run(halved, {"a": tiny / 4}, "float32", gradual)) == tiny / 8
    assert float(run(halved, {"a": tiny}, "float32")) == 0.0


def test_a_rougher_machine_is_known_as_such() -> None:
    assert IDEAL.roughness < ROUGH.roughness + 1000
    assert ROUGH.roughness < Arithmetic("flushing", errors=ROUGH.errors).roughness
    assert ROUGH.roughness < Arithmetic("more", flushes=False, errors={**ROUGH.errors, "sin": (2.0, 2.0)}).roughness


def test_an_emulator_computes_a_node_once_and_forgets_when_its_room_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms share most of their nodes; what was forgotten is computed anew, and is the same."""
    values = {"a": np.linspace(-3, 3, 1000)}
    shared = call("tanh", A)
    kernels = [Kernel(call("add", shared, A)), Kernel(call("multiply", shared, A))]
    counted: list[Node] = []
    evaluate = Emulator._evaluate

    def counting(self: Emulator, node: Node) -> Any:
        counted.append(node)
        return evaluate(self, node)

    monkeypatch.setattr(Emulator, "_evaluate", counting)
    for room, expected in ((2**26, 1), (0, 2)):
        counted.clear()
        emulator = Emulator(values, "float32", room=room)
        results = [emulator.run(kernel) for kernel in kernels]
        assert counted.count(shared) == expected
        for kernel, result in zip(kernels, results, strict=True):
            np.testing.assert_array_equal(result, run(kernel, values, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_machines_that_share_what_functions_give_are_each_off_as_by_themselves(dtype: str) -> None:
    """Subnormal results are flushed in place: not in what the next machine is given."""
    values = {"a": np.concatenate([np.linspace(-800, 800, 2001), [-103.0, -87.9, -745.0, -709.5]])}
    kernel = Kernel(call("multiply", call("exp", A), call("tanh", call("exp", A))))
    functions = Functions()
    for machine in (ROUGH, Arithmetic("flushing", errors=ROUGH.errors), IDEAL, ROUGH):
        shared = Emulator(values, dtype, machine, functions=functions).run(kernel)
        np.testing.assert_array_equal(shared, run(kernel, values, dtype, machine))
