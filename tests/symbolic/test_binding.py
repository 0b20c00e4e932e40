"""From names to primitives: what each name means, and which branch owns a kink."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import sympy as sp
from flint import arb

from actgen.spec.vocabulary import FUNCTIONS
from actgen.symbolic.binding import BINDINGS
from actgen.symbolic.derivatives import differentiate
from tests.symbolic.reading import agree, exact, formula, precision, value, x

c = sp.Symbol("c", real=True)

POINTS = ("-3", "-1", "-1/3", "0", "1/7", "1", "5/2")

# Each name by a definition that shares nothing with the primitives: arb's own functions.
MEANINGS: dict[str, Callable[[arb], arb]] = {
    "exp": lambda u: u.exp(),
    "expm1": lambda u: u.exp() - 1,
    "log": lambda u: u.log(),
    "log1p": lambda u: (1 + u).log(),
    "sqrt": lambda u: u.sqrt(),
    "sin": lambda u: u.sin(),
    "cos": lambda u: u.cos(),
    "tan": lambda u: u.sin() / u.cos(),
    "sinh": lambda u: (u.exp() - (-u).exp()) / 2,
    "cosh": lambda u: (u.exp() + (-u).exp()) / 2,
    "tanh": lambda u: 1 - 2 / ((2 * u).exp() + 1),
    "sech": lambda u: 2 / (u.exp() + (-u).exp()),
    "asinh": lambda u: (u + (u * u + 1).sqrt()).log(),
    "atan": lambda u: u.atan(),
    "erf": lambda u: u.erf(),
    "erfc": lambda u: 1 - u.erf(),
    "normal_cdf": lambda u: (1 + (u / arb(2).sqrt()).erf()) / 2,
    "normal_pdf": lambda u: (-u * u / 2).exp() / (2 * arb.pi()).sqrt(),
    "sigmoid": lambda u: 1 / (1 + (-u).exp()),
    "softplus": lambda u: (1 + u.exp()).log(),
    "relu": lambda u: u if u > 0 else arb(0),
    "Abs": lambda u: -u if u < 0 else u,
    "sign": lambda u: arb(1 if u > 0 else -1 if u < 0 else 0),
    "floor": lambda u: u.floor(),
    "Heaviside": lambda u: arb(1 if u > 0 else 0),
}


def test_every_name_of_the_vocabulary_has_a_meaning_and_no_other() -> None:
    assert set(BINDINGS) == set(FUNCTIONS)
    assert set(MEANINGS) | {"Max", "Min", "clip"} == set(FUNCTIONS)


@pytest.mark.parametrize("name", MEANINGS)
def test_each_name_means_what_its_definition_says(name: str) -> None:
    """A swapped pair of rows in BINDINGS (erf for erfc), or a missing factor, changes a value by more than 2**-100."""
    for point in POINTS:
        with precision(400):
            meant = MEANINGS[name](exact(point))
        if meant.is_finite():
            assert agree(value(formula(f"{name}(x)"), point), meant), (name, point)


@pytest.mark.parametrize(
    ("text", "kink", "slope"),
    [
        ("Max(0, x)", 0, 0),
        ("Max(x, 0)", 0, 0),
        ("relu(x)", 0, 0),
        ("relu(-x)", 0, 0),
        ("Min(x, 1)", 1, 0),
        ("Min(1, x)", 1, 0),
        ("clip(x, -1, 1)", -1, 0),
        ("clip(x, -1, 1)", 1, 0),
        ("Max(x, 2*x)", 0, 1),  # the first of two that depend on x
        ("Max(2*x, x)", 0, 2),
        ("Min(x, 3*x)", 0, 1),
        ("Min(3*x, x)", 0, 3),
        ("Max(x, 2*x, 0)", 0, 0),  # a bound wins from any place
        ("Max(2*x, 3*x, x)", 0, 2),
        ("Abs(x)", 0, 0),
        ("x*sign(x)", 0, 0),
        ("Abs(x - 2)", 2, 0),
        ("Heaviside(x)*x", 0, 0),
        ("Piecewise((x, x > 0), (x/100, True))", 0, "1/100"),
        ("Piecewise((x, x >= 0), (x/100, True))", 0, 1),
        ("Min(Max(x, 0), 6)", 0, 0),
        ("Min(Max(x, 0), 6)", 6, 0),
        ("Max(-1, Min(1, x))", 1, 0),
        ("Max(-1, Min(1, x))", -1, 0),
        ("clip(relu(x), -1, 1)", 1, 0),
        ("Max(-x, Min(x, 2*x))", 0, -1),  # the argument that is no bound and comes first, though its rival is nested
    ],
)
def test_a_kink_takes_the_slope_of_the_branch_that_owns_it(text: str, kink: int, slope: int | str) -> None:
    with precision(200):
        assert agree(value(differentiate(formula(text), x), str(kink)), exact(str(slope))), text


def test_a_parameter_is_a_bound_and_an_input_is_none() -> None:
    """With both orders alike, slope 0 at the tie; if parameters counted as inputs, Max(x, c) would have slope 1."""
    for text in ("Max(x, c)", "Max(c, x)", "Min(x, c)", "Min(c, x)"):
        slope = differentiate(formula(text, c), x).subs(c, 2)
        assert value(slope, "2") == 0, text


NUMBERS = ("-2", "-1", "0", "1/2", "1", "3")


@pytest.mark.parametrize("name", ["Max", "Min"])
def test_an_extreme_of_many_arguments_is_the_largest_or_smallest_of_their_values(name: str) -> None:
    choose = max if name == "Max" else min
    for arguments in (["x", "1"], ["x", "-x", "1/2"], ["0", "x**2", "x", "1 - x"], ["x", "2*x", "3*x", "4*x", "x + 1"]):
        bound = formula(f"{name}({', '.join(arguments)})")
        for point in NUMBERS:
            values = [sp.sympify(argument).subs("x", sp.Rational(point)) for argument in arguments]
            assert value(bound, point) == exact(choose(values)), (name, arguments, point)


def test_clip_is_its_bounds_outside_and_its_argument_inside() -> None:
    for point, inside in product(NUMBERS, ("x", "x**3 - x")):
        u = sp.sympify(inside).subs("x", sp.Rational(point))
        assert value(formula(f"clip({inside}, -1, 2)"), point) == exact(min(max(u, -1), 2)), (inside, point)


NESTED = [
    "Min(Max(x, 0), 6)",
    "Max(-1, Min(1, x))",
    "clip(relu(x), -1, 1)",
    "Heaviside(relu(x) - 1)",
    "Max(Heaviside(x), normal_cdf(x))",
    "Min(clip(x, -1, 2), sigmoid(1/3))",
    "Piecewise((x, x == clip(x, -1, 2)), (1/2, True))",
    "Piecewise((pi, erfc(x) <= Max(2, x)), (x, True))",
    "Max(clip(x, -1, 1), clip(2*x, -1, 1), x/2)",
    "Max(1 + relu(x), 2*Min(x, 1))",
]


@pytest.mark.parametrize("text", NESTED)
def test_no_condition_holds_a_piecewise_or_what_sympy_makes_of_one(text: str) -> None:
    """Neither the oracle nor a kernel has an ITE; SymPy makes one of every comparison with a Piecewise."""
    bound = formula(text)
    assert not bound.has(sp.ITE)
    for piecewise in bound.atoms(sp.Piecewise):
        assert not any(condition.has(sp.Piecewise) for _, condition in piecewise.args)


def test_nested_extremes_have_the_values_that_python_computes() -> None:
    environment = {
        "Min": min,
        "Max": max,
        "clip": lambda u, low, high: min(max(u, low), high),
        "relu": lambda u: max(u, 0),
        "Heaviside": lambda u: int(u > 0),
    }
    texts = [text for text in NESTED if not any(word in text for word in ("normal", "sigmoid", "erfc", "Piecewise"))]
    assert len(texts) >= 6
    for text in texts:
        bound = formula(text)
        for k in range(-32, 65):
            point = k / 8
            found = float(eval(text, {"x": point, **environment}))  # NESTED is Python as it stands
            expected = sp.Rational(*found.as_integer_ratio())
            assert value(bound, point) == exact(expected), (text, point)


def test_eight_arguments_do_not_blow_up() -> None:
    """Taken two by two they made 128 pieces; one piece for each argument is enough."""
    bound = formula("Max(x, 2*x, 3*x, sin(x), x**2, x**3, exp(x), 1)")
    assert len(bound.args) == 8
    assert value(bound, "0") == 1


def test_a_name_outside_the_vocabulary_is_refused() -> None:
    from actgen.symbolic.binding import bind

    with pytest.raises(KeyError):
        bind(sp.Function("gamma")(x), (x,))


def test_the_base_of_a_power_is_in_pieces_outside_it() -> None:
    """So the derivative of (relu(x) / b)**k by k is 0 for x <= 0, and not 0**k log(0)."""
    b, k = sp.Symbol("b", positive=True), sp.Symbol("k", positive=True)
    bound = formula("(relu(x)/b)**k", b, k)
    assert bound == sp.Piecewise((0, x <= 0), ((x / b) ** k, True))
    by_k = differentiate(formula("1 - exp(-(relu(x)/b)**k)", b, k), k)
    assert by_k.subs({x: -1, b: 2, k: sp.Rational(3, 2)}) == 0
    assert formula("(1 + relu(x))**2") == (1 + formula("relu(x)")) ** 2
