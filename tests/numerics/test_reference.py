"""The reference against the oracle, float by float; the polynomials' proofs against mistakes put in on purpose."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx

from actgen.numerics import cache, contract, forms
from actgen.numerics.far_ends import FarFunction
from actgen.numerics.far_values import Region, UnboundedError
from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.reference import Reference
from actgen.numerics.rules import rewrite
from actgen.numerics.tables import DIRECT, Table
from actgen.numerics.taylor import NoSeriesError, SeriesFunction
from actgen.spec import load_spec
from actgen.symbolic import Formula
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.derivatives import differentiate
from tests.symbolic.reading import formula, x

# Functions of one number; half of them, by the alphabet, since all would take four minutes.
SPECS = [
    path
    for path in sorted((Path(__file__).parents[2] / "specs").glob("*.toml"))
    if 'kind = "' not in path.read_text() and "distribution" not in path.read_text()
][::2]
INF = float("inf")

# What the specs do not have: holes, poles, roots, kinks off the floats, oscillation, several exponentials.
EXPRESSIONS = (
    "exp(x)*sin(3*x)",
    "x*log(1 + exp(x))/(1 + x**2)",
    "Piecewise((x**2, x < 1/3), (sin(x)/x, True))",
    "floor(3*x)*x",
    "sqrt(Abs(x))*sign(x)",
    "log(x**2 + 1)*atan(x)",
    "asinh(x)**3 - x",
    "(x - 1)**2*(x + 2)",
    "exp(-exp(-x))",
    "erf(x)*x - x**3/7",
    "1/(x - 3)",
    "cosh(x) - sinh(x)",
    "Abs(x - 1/3) + sign(x + 2)",
)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACTGEN_CACHE_DIR", str(tmp_path))


def points_of(dtype: str, count: int, seed: int) -> Floats:
    """Random bits, and random numbers where activations bend."""
    bits = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    everywhere = bits.integers(0, 2 ** (8 * kind.itemsize), count, dtype=f"u{kind.itemsize}").view(kind)
    near = bits.normal(size=count) * bits.choice([1e-3, 1.0, 10.0, 100.0], count)
    with np.errstate(invalid="ignore"):
        points = np.concatenate([everywhere, near.astype(kind)]).astype(np.float64)
    return points[np.isfinite(points)]


def units(points: Floats, ours: Exact, theirs: Exact, slope: Floats, dtype: str) -> Floats:
    """The difference in units of the contract, where both are decided."""
    form = contract.FORMATS[dtype]
    assert not (theirs.decided & ~ours.decided).any()
    with np.errstate(all="ignore"):
        target = form.nearest(theirs.high)
        difference = (ours.high.astype(np.longdouble) - theirs.high) + (ours.low.astype(np.longdouble) - theirs.low)
        unit = form.spacing(target) + form.half_spacing * np.abs(points * np.nan_to_num(slope))
        off = (np.abs(difference) / unit).astype(np.float64)
        same = ~theirs.decided | (np.isinf(target) & (form.nearest(ours.high) == target))
    return np.where(same, 0.0, off)


def assert_agree(expression: sp.Expr, symbol: sp.Symbol, dtype: str, points: Floats) -> Reference:
    reference = Reference(expression, symbol, {}, dtype)
    slope = np.abs(Oracle(differentiate(expression, symbol), symbol, bits=20)(points, {}).high)
    ours, theirs = reference(points), Oracle(expression, symbol)(points, {})
    off = units(points, ours, theirs, slope, dtype)
    assert off.max() < 1 / 256, (expression, points[off.argmax()])
    # Slopes to 2^-10 of what a unit is made of.
    form = contract.FORMATS[dtype]
    with np.errstate(all="ignore"):
        spacing = form.spacing(form.nearest(theirs.high))
        moved = form.half_spacing * np.abs(points)
        wrong = np.abs(moved * reference.slope(points) - moved * slope) / (spacing + moved * slope)
        wrong = np.where(theirs.decided & np.isfinite(slope) & np.isfinite(form.nearest(theirs.high)), wrong, 0.0)
    assert wrong.max() < 2.0**-10, (expression, points[wrong.argmax()])
    return reference


@lru_cache
def formula_of(path: Path) -> Formula:
    return Formula.of(load_spec(path))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_it_says_what_the_oracle_says_of_a_spec(path: Path, dtype: str) -> None:
    """All partials take minutes: one by chance, the same every time."""
    whole = formula_of(path)
    defaults = {p.symbol: sp.Rational(p.default) for p in load_spec(path).parameters}
    # Derivatives that are nothing but sines take seconds, and the slope of one is not known at every large float64.
    orders = [()] if whole.value.has(sp.sin, sp.cos) else list(whole.partials)
    order = random.Random(path.stem + dtype).choice(orders)
    points = points_of(dtype, 60 if dtype == "float32" else 30, seed=len(path.stem))
    assert_agree(whole.partials[order].xreplace(defaults), whole.inputs[0], dtype, points)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_it_says_what_the_oracle_says_of_other_formulas(text: str) -> None:
    points = np.concatenate([points_of("float32", 100, seed=3), [0.0, -0.0, 1 / 3, 1.0, 3.0, -2.0, 2.0**-149]])
    assert_agree(formula(text), x, "float32", points.astype(np.float32).astype(np.float64))


def test_kinks_are_decided_float_by_float() -> None:
    kinks = np.array([0.0, 1.0, -1.0, 3.0, -3.0, 0.1], dtype=np.float32)
    near = [kinks, np.nextafter(kinks, np.float32(9)), np.nextafter(kinks, np.float32(-9))]
    points = np.concatenate([*near, np.array([1e-45, -1e-45], dtype=np.float32)]).astype(np.float64)
    for text in ("clip(x, -1, 1)", "Max(0, x)", "Heaviside(x - 1/10)", "x*clip(x + 3, 0, 6)/6", "sign(x)"):
        reference = Reference(formula(text), x, {}, "float32")
        assert reference(points).high == pytest.approx(Oracle(formula(text), x)(points, {}).high, rel=2.0**-40, abs=0)


def test_relative_accuracy_holds_down_to_the_smallest_float() -> None:
    """x - tanh(x) is x^3/3: exact to 1/256 ULP at the smallest float of which it is one, and 0 below."""
    reference = Reference(formula("x - tanh(x)"), x, {}, "float64")
    points = np.ldexp(1.1, np.arange(-1074, 0, 7))
    exact, theirs = reference(points), Oracle(formula("x - tanh(x)"), x)(points, {})
    error = np.abs((exact.high - theirs.high) + (exact.low - theirs.low))
    assert (error <= 2.0**-61 * np.abs(theirs.high) + 2.0**-1083).all()
    assert not (reference._table.marks[reference._table.find(points)] == DIRECT).any()


def test_float64_values_have_a_low_part() -> None:
    points = points_of("float64", 200, seed=5)
    points = points[(np.abs(points) < 100) & (np.abs(points) > 1e-3)]
    exact, theirs = Reference(formula("exp(x)"), x, {}, "float64")(points), Oracle(formula("exp(x)"), x)(points, {})
    assert np.count_nonzero(exact.low) > 0.9 * len(points)
    off = np.abs((exact.high - theirs.high) + (exact.low - theirs.low)) / np.spacing(theirs.high)
    assert off.max() < 2.0**-9


def test_a_root_is_relative_to_the_slope() -> None:
    root = np.float32(1.8411837)
    points = np.array([np.nextafter(root, np.float32(side)) for side in (0, 9)] + [root], dtype=np.float64)
    assert_agree(formula("sin(x)*x - cos(x)/x - 8/5"), x, "float32", points)


def test_infinities_take_the_limit_and_nan_is_nan() -> None:
    exact = Reference(formula("x*sigmoid(x)"), x, {}, "float32")(np.array([INF, -INF, np.nan]))
    assert exact.high[:2].tolist() == [INF, 0.0]
    assert np.isnan(exact.high[2])
    assert exact.decided.all()


def test_what_has_no_value_is_undecided() -> None:
    exact = Reference(formula("log(x)"), x, {}, "float32")(np.array([-1.0, 1.0]))
    assert exact.decided.tolist() == [False, True]


def test_what_oscillates_too_fast_is_left_to_the_oracle_early() -> None:
    reference = Reference(formula("sin(x)**2"), x, {}, "float32")
    assert len(reference._table.starts) < 20_000
    assert reference(np.array([1e30])).high == Oracle(formula("sin(x)**2"), x)(np.array([1e30]), {}).high


def test_parameters_are_part_of_the_formula() -> None:
    beta = sp.Symbol("beta", real=True)
    point = np.array([2.0])
    for value in (Fraction(1, 3), Fraction(2)):
        exact = Reference(formula("x*sigmoid(beta*x)", beta), x, {beta: value}, "float64")(point)
        theirs = Oracle(formula("x*sigmoid(beta*x)", beta), x, (beta,))(point, {"beta": value})
        assert exact.high == theirs.high


def test_a_wrong_coefficient_is_caught() -> None:
    """The comparison with the oracle is one that can fail."""
    reference = Reference(formula("tanh(x)"), x, {}, "float32")
    table = reference._table
    points = points_of("float32", 300, seed=1)
    high = table.value.high.copy()
    high[3] *= 1 + 2.0**-12
    reference._table = dataclasses.replace(table, value=dataclasses.replace(table.value, high=high))
    theirs = Oracle(formula("tanh(x)"), x)(points, {})
    slope = 1 - np.tanh(points) ** 2
    assert units(points, reference(points), theirs, slope, "float32").max() > 1 / 256


def test_a_wrong_rule_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that differs from the declared formula is compared with it on every piece, and dropped."""
    wrong = formula("x*sigmoid(x)") * sp.Rational(1001, 1000)
    monkeypatch.setattr(forms, "rewrite", lambda expression: (wrong, ("wrong",)))
    points = points_of("float32", 50, seed=2)
    exact = Reference(formula("x*sigmoid(x)"), x, {}, "float32")(points)
    assert exact.high == pytest.approx(Oracle(formula("x*sigmoid(x)"), x)(points, {}).high, rel=1e-9, abs=1e-45)


def test_a_table_is_read_from_disk_the_second_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points = points_of("float64", 50, seed=4)
    first = Reference(formula("x*exp(-x**2)"), x, {}, "float64")(points)
    assert len(list((tmp_path / "tables").iterdir())) == 1
    monkeypatch.setattr(Reference, "_build", _never)
    second = Reference(formula("x*exp(-x**2)"), x, {}, "float64")(points)
    assert first.high.tolist() == second.high.tolist()
    assert first.low.tolist() == second.low.tolist()


def _never(self: Reference) -> Table:
    raise AssertionError("the table was built again")


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "no archive"])
def test_a_damaged_table_is_rebuilt(damage: str, tmp_path: Path) -> None:
    points = points_of("float32", 50, seed=4)
    before = Reference(formula("exp(x)"), x, {}, "float32")(points).high
    (path,) = (tmp_path / "tables").iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes({"cut": whole[:-7], "flipped": bytes(flipped), "empty": b"", "no archive": b"x" * 99}[damage])
    assert Reference(formula("exp(x)"), x, {}, "float32")(points).high.tolist() == before.tolist()
    assert path.read_bytes()[:32] == whole[:32]


def test_the_name_of_a_table_depends_on_all_it_is_computed_from() -> None:
    beta = sp.Symbol("beta", real=True)
    paths = {
        cache.path_of(expression, x, parameters, dtype)
        for expression in (x, x**2, x * beta)
        for parameters in ({}, {beta: Fraction(1)}, {beta: Fraction(1, 2)})
        for dtype in ("float32", "float64")
    }
    assert len(paths) == 18


def test_a_folder_that_cannot_be_written_costs_time_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACTGEN_CACHE_DIR", str(tmp_path / "file"))
    assert Reference(formula("2*x"), x, {}, "float32")(np.array([1.5])).high.tolist() == [3.0]


SERIES = (
    *("exp(x)", "log(x + 9)", "sin(x)", "cos(x)", "tan(x/9)", "sinh(x)", "cosh(x)", "tanh(x)", "asinh(x)", "atan(x)"),
    *("erf(x)", "erfc(x)", "sigmoid(x)", "softplus(x)", "sech(x)", "expm1(x)", "log1p(x/9)", "sqrt(x + 9)"),
    *("(x + 9)**(1/3)", "(x + 9)**x", "x**5 - 1/(x + 9)**2"),
)


@pytest.mark.parametrize("text", SERIES)
@pytest.mark.parametrize("centre", [-7.0, -0.25, 0.0, 0.5, 6.0])
def test_series_over_an_interval_hold_those_at_its_points(text: str, centre: float) -> None:
    series = SeriesFunction(formula(text), x)
    before, ctx.prec = ctx.prec, 200
    try:
        over = series(arb(centre, 0.25), arb(0.25), 9)
        for place in (-0.25, -0.1, 0.0, 0.2, 0.25):
            inside = series(arb(centre) + arb(place), arb(0.25), 9)
            assert all(wide.contains(narrow.mid()) for wide, narrow in zip(over, inside, strict=True))
        value = BallFunction(formula(text), (x,))(arb(centre))
        assert value is not None
        assert value.overlaps(series(arb(centre), arb(1), 4)[0])
    finally:
        ctx.prec = before


def test_a_series_is_refused_where_there_is_none() -> None:
    for text in ("log(x)", "sqrt(x)", "1/x"):
        with pytest.raises(NoSeriesError):
            SeriesFunction(formula(text), x)(arb(0, 1), arb(1), 4)


FAR = (
    *("x*tanh(log(1 + exp(x)))", "exp(x)/(1 + exp(x))**2", "x*erfc(-x)/2", "x/sqrt(1 + x**2)", "softplus(2*x) - 1/x"),
    *("sigmoid(x)*sinh(x)", "asinh(x)", "atan(x)*x", "log1p(x**2)", "expm1(x)*exp(-x)", "cosh(x)/exp(x)", "sech(x)*x"),
    *("x + sin(x)", "1/(1 + x**3)", "exp(-exp(x))", "erf(x) - 1/x**2", "(1 + x**2)**(1/3)"),
)


@pytest.mark.parametrize("text", FAR)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("low", "high"), [(4, 7), (6, 40), (-50, -9)])
def test_far_ends_hold_the_values_in_them(text: str, sign: int, low: int, high: int) -> None:
    before, ctx.prec = ctx.prec, 300
    region = Region(sign, arb(2) ** low, arb(2) ** high, high < 0)
    try:
        value = FarFunction(formula(text), x)(region)
        for exponent in sorted({low, (low + high) // 2, high}):
            size = arb(2) ** exponent
            exact = BallFunction(formula(text), (x,))(sign * size)
            here = value.factor * size**value.power
            if value.exponent is not None:
                here *= (value.exponent.factor * size**value.exponent.power).exp()
            assert exact is not None
            assert here.overlaps(exact)
    except UnboundedError:
        pass  # to know nothing is no mistake
    finally:
        ctx.prec = before


def test_all_forms_of_a_formula_are_equal_to_it() -> None:
    expressions: Sequence[sp.Expr] = [
        formula_of(path).partials[order]
        for path in SPECS
        for order in formula_of(path).partials
        if path.stem in ("mish", "softplus", "silu", "gelu", "squareplus", "sigmoid")
    ]
    for expression in expressions:
        values = {s: sp.Rational(3, 2) for s in expression.free_symbols if s.name != "x"}
        declared = expression.xreplace(values)
        (symbol,) = declared.free_symbols
        for form in forms.Forms(declared, symbol).all():
            for point in (-3.5, -0.5, 0.75, 5.0):
                here = arb(point)
                if all(guard.subs(symbol, point) > 0 for guard in form.guards):
                    ours, theirs = (BallFunction(e, (symbol,))(here) for e in (form.expression, declared))
                    assert ours is not None
                    assert theirs is not None
                    assert ours.overlaps(theirs), form.expression
    assert rewrite(x)[0] == x
