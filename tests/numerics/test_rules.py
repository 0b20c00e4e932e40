"""Every rewrite rule as a theorem: proved by definition and in ball arithmetic, applied in context, worth its while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sympy as sp

from actgen.numerics.rules import OPPOSITES, RULES, SHIFTS, Opposites, Rule, Shift, q, rewrite, u
from actgen.symbolic.primitives import erfc, log1p, sech, sigmoid, softplus, tanh
from tests.numerics.exact_sides import compare, is_proved
from tests.numerics.judging import errors, kernel_of
from tests.symbolic.reading import agree, formula, value, x

BY_NAME = {rule.name: rule for rule in RULES}
INSTANCES = (x, 2 * x, -x / 3, x**3 - x, x**2 + 1)
SAMPLE = [sign * size for size in (2.0**-40, 1e-4, 0.03, 0.4, 0.99, 1.7, 3.3, 8.1, 19.0, 104.5) for sign in (1, -1)]


def instance(expression: sp.Expr, argument: sp.Expr, power: int = 2) -> sp.Expr:
    """With a whole power for the wildcard n, one and a half for p, any other exponent, for v and q another argument."""
    others = {"n": sp.Integer(power), "p": power - sp.Rational(1, 2)} | dict.fromkeys("vq", 1 - argument / 2)
    return expression.xreplace({u: argument, **{w: others[w.name] for w in expression.atoms(sp.Wild) - {u}}})


def counterexample(rule: Rule) -> str | None:
    """Where the two sides differ by more than 2**-100 relative, or None; 4,000 bits keep cancellation out."""
    checked = 0
    for argument in INSTANCES:
        for power in (1, 3) if len(rule.before.atoms(sp.Wild)) > 1 else (1,):
            before, after = instance(rule.before, argument, power), instance(rule.after, argument, power)
            for point in SAMPLE:
                place = argument.subs(x, sp.Rational(*point.as_integer_ratio()))
                if place not in rule.domain:
                    continue
                left = value(before, point, bits=4000)
                if left is None or not left.is_finite():
                    continue
                checked += 1
                if not agree(left, value(after, point, bits=4000)):
                    return f"{before} != {after} at x = {point}"
    assert checked >= 50, f"{rule.name} was hardly tried"
    return None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_of_a_rule_are_equal_on_its_domain(rule: Rule) -> None:
    assert counterexample(rule) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_agree_to_200_bits_over_the_floats_of_the_whole_domain(rule: Rule) -> None:
    """And are known to as many at floats of most binades, so that the agreement says something."""
    found = compare(rule)
    assert found.counterexample is None
    assert len({*found.sure}) > 1700
    assert found.sure[0] < -0.9
    assert max(found.sure) > 20
    assert sum(abs(point) < 2.0**-40 for point in found.sure) > 50


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_follows_from_the_definitions(rule: Rule) -> None:
    assert is_proved(rule)


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Rules that differ in one detail, and so are wrong."""
    after = rule.after
    changed = {
        "other sign": -after,
        "twice as much": 2 * after,
        "squared": after**2,
        "argument doubled": after.xreplace({u: 2 * u}),
    }
    reflected = rule.before.xreplace({u: -u})
    if not is_proved(replace(rule, after=reflected)):  # an even function does not mind
        changed["argument reversed"] = after.xreplace({u: -u})
    for power in sorted(after.atoms(sp.Pow), key=str):
        changed[f"{power} without its power"] = after.xreplace({power: power.base})
        changed[f"{power} with one more"] = after.xreplace({power: power * power.base})
    yield from ((name, replace(rule, after=wrong)) for name, wrong in changed.items())


@pytest.mark.parametrize(
    "wrong", [pytest.param(m, id=f"{rule.name}: {what}") for rule in RULES for what, m in mutants(rule)]
)
def test_a_rule_that_differs_in_one_detail_is_refuted(wrong: Rule) -> None:
    """In ball arithmetic, with a point to show for it; and no proof goes through."""
    assert compare(wrong).counterexample is not None
    assert not is_proved(wrong)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_is_off_by_far_less_than_a_float_can_show_is_refuted(rule: Rule) -> None:
    assert compare(replace(rule, after=rule.after * (1 + sp.Rational(1, 2**150)))).counterexample is not None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("one-plus-erf", {"after": erfc(u)}),  # sign of the argument
        ("one-minus-tanh-squared", {"after": sech(u)}),  # power
        ("one-plus-tanh", {"after": sigmoid(2 * u)}),  # factor
        ("log-of-sigmoid", {"after": softplus(-u)}),  # sign of the value
        ("one-minus-cos", {"after": 2 * sp.sin(u) ** 2}),  # angle
        ("log1p-from-log", {"before": sp.log(1 + u), "after": log1p(u) + sp.Rational(1, 10**20)}),  # far below float64
        ("reciprocal-of-cosh", {"after": sech(u) ** 2}),  # right for n = 2 only
        ("magnitude-times-sign", {"after": u}),  # right for u > 0 only
    ],
)
def test_an_unsound_rule_is_caught(name: str, wrong: dict[str, sp.Expr]) -> None:
    """Each differs from a rule of the table in one detail; if it passed, the test above would prove nothing."""
    assert counterexample(replace(BY_NAME[name], **wrong)) is not None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("argument", [x, 3 * x, x**2 - x], ids=str)
def test_a_rule_applies_inside_longer_sums_and_products(rule: Rule, argument: sp.Expr) -> None:
    """Alone, times a factor that is spread over its terms, and beside other terms; the value stays what it was."""
    alone = instance(rule.before, argument)
    scaled = sp.sin(5 * x) * alone
    for context in (alone, (sp.expand_mul(scaled) if alone.is_Add else scaled) + x**2, sp.cos(7 * x) / 2 * alone - 7):
        rewritten, applied = rewrite(context, (rule,))
        assert applied, context
        assert set(applied) == {rule.name}
        for point in (0.3, 2.2):
            assert agree(value(rewritten, point, 2000), value(context, point, 2000)), (context, rewritten)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_does_not_fit_its_own_result(rule: Rule) -> None:
    """Rewriting ends."""
    rewritten, _ = rewrite(instance(rule.before, 3 * x))
    assert rewrite(rewritten) == (rewritten, ())


GAINS = {
    "log-of-one-plus-exp": [100.0, -17.0],
    "log1p-of-exp": [100.0],
    "log-of-sigmoid": [-105.0],
    "log-of-quotient-of-exponentials": [100.0],
    "softplus-minus-its-value-at-0": [3e-8, -1e-5],
    "exp-minus-one": [3e-8, -1e-5],
    "one-plus-erf": [-4.5, -3.0],
    "one-minus-erf": [4.5, 3.0],
    "one-plus-tanh": [-9.5, -5.0],
    "one-minus-tanh": [9.5, 5.0],
    "one-minus-tanh-squared": [9.5, -5.0],
    "one-minus-sech-squared": [1e-4, -3e-3],
    "one-minus-sigmoid": [17.5, 9.0],
    "one-minus-cos": [1e-4, -3e-3],
    "one-plus-double-angle": [2.3561945, -0.78539816],
    "one-minus-double-angle": [0.78539816, -2.3561945],
    "log1p-from-log": [1e-8, 3e-4],
    "power-of-one-plus-exp": [100.0],
    "root-minus-one": [1e-7, -3e-6],
    "power-minus-one": [3e-8, -1e-5],
    "log-of-root-sum": [-60.0, -1e4, 3e19],
    "half-turn-plus-angle": [-3e3, -1e9],
    "half-turn-minus-angle": [3e3, 1e9],
    "exp-times-sigmoid": [100.0],
    "cosh-minus-one": [1e-4, -3e-3],
    "sinh-times-sech": [100.0],
    "log-of-sum-of-exponentials": [100.0],
}
"""Where a rule gains: points at which the form before loses hundreds of units."""


@pytest.mark.parametrize(("name", "points"), GAINS.items())
def test_a_rule_gains_the_accuracy_it_claims(name: str, points: list[float]) -> None:
    """In emulated float32, in units of the contract: hundreds before, a few after."""
    rule = BY_NAME[name]
    before, after = instance(rule.before, x, 1), instance(rule.after, x, 1)
    for point in points:
        assert errors(kernel_of(before), before, [point]).worst > 100, point
        assert errors(kernel_of(after), before, [point]).worst < 4, point


def test_a_multiple_of_a_double_angle_is_right_where_a_parameter_makes_a_double_root() -> None:
    """At p = 1 next to -pi/4, and also where p makes simple roots or none; 1 + p sin(2 x) loses every digit there."""
    rule = BY_NAME["one-plus-multiple-of-double-angle"]
    points = [-0.78539816, 2.3561945, -0.136, 0.3, 1.9, -2.0, 7.0]
    for p in map(sp.Rational, ("1/4", "1", "3/2", "4")):
        before, after = (side.xreplace({u: x, q: p}) for side in (rule.before, rule.after))
        assert errors(kernel_of(after), before, points).worst < 4, p
        assert p != 1 or errors(kernel_of(before), before, points).worst > 100


OTHER_GAINS = (
    "reciprocal-of-one-plus-exp",
    "reciprocal-of-cosh",
    "magnitude-times-sign",
    "difference-of-squares-of-an-angle",
)
"""Rules whose gain lies in what follows from them, or in a call saved."""


def test_the_rules_whose_gain_lies_elsewhere_keep_the_accuracy() -> None:
    points = [-80.0, -3.0, -0.01, 0.5, 0.78539816, 2.0, 60.0]
    for name in OTHER_GAINS:
        rule = BY_NAME[name]
        before, after = instance(rule.before, x, 1), instance(rule.after, x, 1)
        assert errors(kernel_of(after), before, points).worst < 4, name
    assert rewrite(formula("1 + Abs(x) - x*sign(x)"))[0] == 1


def test_every_rule_is_tried_for_its_gain() -> None:
    assert {*GAINS, *OTHER_GAINS, "one-plus-multiple-of-double-angle"} == set(BY_NAME)


@pytest.mark.parametrize(
    "text",
    [
        "1 + erf(x) + erf(2*x)",
        "2 + tanh(x)",
        "exp(x) - 2",
        "1 - tanh(x)**3",
        "1 - sigmoid(x)**2",
        "log(2 + exp(x))",
        "sin(x)*cos(2*x)*2 + 1",
        "x*sign(2*x)",
        "exp(2) - 1 + x",
        "(1 + exp(x))**2",
        "sqrt(2 + exp(x))",
        "sqrt(1 + x**2) - 2",
        "(1 + x**2)**(1/3) + 1",
        "log(x + sqrt(2 + x**2))",
        "log(x**2 + sqrt(1 + x**2))",
        "pi/2 + 2*atan(x)",
        "pi + atan(x)",
        "cos(x)**2 - sin(2*x)**2",
        "cos(x)**2 + sin(x)**2*x",
        "exp(2*x)*sigmoid(-x)",
        "exp(x)*sigmoid(x)",
    ],
)
def test_a_rule_is_not_applied_where_it_does_not_hold(text: str) -> None:
    """Look-alikes. Whatever rewriting makes of them, the value must stay."""
    expression = formula(text)
    rewritten, _ = rewrite(expression)
    for point in (-2.25, -0.3, 0.7, 3.5):
        assert agree(value(rewritten, point), value(expression, point)), (text, rewritten)


@pytest.mark.parametrize(
    "text", ["log(x**2)", "log(Abs(x))", "log(cosh(x))", "x*log(Abs(x))", "Abs(x)**(1/3) - 1", "sqrt(Abs(x)) - 1"]
)
def test_a_1_that_is_not_there_is_not_taken_away(text: str) -> None:
    """Every v is 1 + (v - 1); but log1p(|x| - 1) is -inf at 1e-10, and log(|x|) is -23."""
    assert rewrite(formula(text)) == (formula(text), ())


@pytest.mark.parametrize(
    "text",
    [
        "log(x**2 + exp(x))",
        "sqrt(x**2 + exp(x)) - 1",
        "log(exp(x) + sech(x)**2)",
        "log(2 - sech(x)**2)",
        "(2 + tanh(x))**(1/3) - 1",
        "log(1 + exp(x) - tanh(x)**2)",
    ],
)
def test_what_a_rule_leaves_is_rewritten_too(text: str) -> None:
    """log(x**2 + exp(x)) is log1p(x**2 + exp(x) - 1), in which a new exp(x) - 1 stands; it is expm1(x)."""
    rewritten, applied = rewrite(formula(text))
    assert len(applied) >= 2
    assert rewrite(rewritten) == (rewritten, ())
    for point in (-2.25, 0.7, 3.5):
        assert agree(value(rewritten, point), value(formula(text), point))


def test_rules_meet_the_published_formulas() -> None:
    assert rewrite(formula("x*tanh(log(1 + exp(x)))"))[0] == x * tanh(softplus(x))
    assert rewrite(formula("x/2*(1 + erf(x/sqrt(2)))"))[0] == x * erfc(-x / sp.sqrt(2)) / 2
    assert rewrite(formula("x/(1 + exp(-x))"))[0] == x * sigmoid(x)


SHIFTED = ((2 * x + 1, 2 * x - 1), (x, x - sp.Rational(7, 2)), (x**3 + 20, x**3))


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
@pytest.mark.parametrize(("first", "second"), SHIFTED, ids=str)
def test_a_shifted_difference_is_what_it_was(shift: Shift, first: sp.Expr, second: sp.Expr) -> None:
    """Also with a factor, in a longer sum, and with the smaller argument first; a wrong sign or argument would show."""
    difference = shift.function(first) - shift.function(second)
    for context in (difference, -difference, sp.expand_mul(x * difference) + sp.cos(x) / 3):
        rewritten = shift.apply(context)
        assert rewritten is not None
        assert shift.apply(rewritten) is None
        for point in (-19.0, -0.7, 0.0, 1.3, 6.5):
            assert agree(value(rewritten, point, 4000), value(context, point, 4000)), (context, rewritten)


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
def test_functions_that_no_shift_relates_are_left_alone(shift: Shift) -> None:
    f = shift.function
    for other in (f(x) - f(2 * x), f(x) + f(x + 1), 2 * f(x + 1) - f(x), f(x), x - f(x)):
        assert shift.apply(other) is None


@pytest.mark.parametrize(("shift", "point"), list(zip(SHIFTS, [7.7, 14.0, 9.0], strict=True)))
def test_a_shift_gains_the_accuracy_it_claims(shift: Shift, point: float) -> None:
    first, second = x + sp.Rational(1, 1024), x
    before = shift.function(first) - shift.function(second)
    after = shift.apply(before)
    assert after is not None
    assert errors(kernel_of(before), before, [point]).worst > 100
    assert errors(kernel_of(after), before, [point]).worst < 4


@pytest.mark.parametrize("law", OPPOSITES, ids=lambda law: law.name)
@pytest.mark.parametrize("argument", [x, -2 * x + 1, x**3 - x], ids=str)
def test_opposite_exponentials_are_what_they_were(law: Opposites, argument: sp.Expr) -> None:
    total = sp.exp(argument) + law.sign * sp.exp(-argument)
    for context in (total, -total, sp.expand_mul(x * total) + sp.cos(x) / 3, total / 2 - 1):
        rewritten = law.apply(context)
        assert rewritten is not None
        assert rewritten.has(law.after)
        assert law.apply(rewritten) is None
        for point in (-19.0, -0.7, 0.0, 1.3, 6.5):
            assert agree(value(rewritten, point, 4000), value(context, point, 4000)), (context, rewritten)
    y = sp.exp(argument)
    for other in (y + 2 / y, y + y**3, y - law.sign / y, y + law.sign / (x * y), y, 1 + 1 / y):
        assert law.apply(other) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "tanh(x)"),
        ("2/(exp(2*x) + exp(-2*x))", "sech(2*x)"),
        ("exp(x) + exp(-x) - 2", "4*sinh(x/2)**2"),
        ("sinh(3*x)/cosh(3*x)**2", "tanh(3*x)*sech(3*x)"),
        ("log(exp(2*x) + exp(1 - x)) + 3", "1 - x + softplus(3*x - 1) + 3"),
    ],
)
def test_hyperbolic_functions_typed_as_exponentials_are_told(before: str, after: str) -> None:
    assert rewrite(formula(before))[0] == rewrite(formula(after))[0]


def test_factors_that_a_rule_replaces_are_gone_where_sympy_does_not_divide_by_them() -> None:
    """SymPy leaves exp(x - 1/4) exp(1/4 - x) as it is; divided by, the factor stayed and the rule fitted for ever."""
    shifted = x - sp.Rational(1, 4)
    product = x * sp.exp(shifted) * sech(shifted) * sigmoid(-shifted)
    rule = BY_NAME["exp-times-sigmoid"]
    assert rule.apply(product) == x * sech(shifted) * sigmoid(shifted)
    assert rewrite(product)[1] == ("exp-times-sigmoid",)
    assert rule.apply(x * sp.exp(shifted) * sigmoid(-shifted) ** 3) == x * sigmoid(shifted) * sigmoid(-shifted) ** 2
    assert rule.apply(x * sp.exp(shifted) * sigmoid(-2 * shifted)) is None
