import time

import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sympy.core.function import AppliedUndef

from actgen.spec.expression import Reading, read_expression
from actgen.spec.vocabulary import ALIASES, FUNCTIONS

X = sympy.Symbol("x", real=True)
BETA = sympy.Symbol("beta", positive=True)
NU = sympy.Symbol("nu", nonpositive=True)
SYMBOLS = {"x": X, "beta": BETA, "nu": NU}


def read(text: str) -> Reading:
    return read_expression(text, SYMBOLS)


def value(text: str) -> sympy.Expr:
    reading = read(text)
    assert reading.flaws == ()
    assert reading.expression is not None
    return reading.expression


def marked(text: str) -> list[tuple[str, str]]:
    """Return what each flaw underlines, and its message."""
    reading = read(text)
    assert reading.expression is None
    assert reading.flaws
    return [(text[flaw.start : flaw.stop], flaw.message) for flaw in reading.flaws]


def f(name: str, *arguments: object) -> sympy.Expr:
    return sympy.Function(name)(*arguments)


def test_arithmetic_becomes_sympy_and_calls_become_undefined_functions() -> None:
    assert value("x * sigmoid(beta * x)") == X * f("sigmoid", BETA * X)
    assert isinstance(value("exp(x)"), AppliedUndef)
    assert value("exp(0) + sin(0)") == f("exp", 0) + f("sin", 0)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.044715", sympy.Rational(44715, 1000000)),
        ("1e-3", sympy.Rational(1, 1000)),
        ("1/3 + 1/6", sympy.Rational(1, 2)),
        ("0.1 + 0.2", sympy.Rational(3, 10)),
        (".5", sympy.Rational(1, 2)),
        ("-2**2", sympy.Integer(-4)),
        ("2**-2", sympy.Rational(1, 4)),
        ("1.0507009873554804934193349852946", sympy.Rational("1.0507009873554804934193349852946")),
    ],
)
def test_numbers_are_exactly_what_the_text_writes(text: str, number: sympy.Rational) -> None:
    assert value(text) == number
    assert value(text).is_Rational


@given(st.integers(0, 10**30), st.integers(0, 30))
def test_every_decimal_literal_is_exact(digits: int, places: int) -> None:
    text = f"{digits:0{places + 1}d}"
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    whole = text.split(".")[0].lstrip("0") or "0"
    assert value(whole + text[len(text.split(".")[0]) :]) == sympy.Rational(digits, 10**places)


def test_the_arguments_of_max_keep_their_order() -> None:
    assert value("Max(x, 0, beta)").args == (X, 0, BETA)
    assert value("max(0, x)").args == (0, X)
    assert value("Max(x, x)").args == (X, X)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_vocabulary_is_read_as_itself(name: str) -> None:
    least, most = FUNCTIONS[name].arity
    for count in {least, most}:
        found = value(f"{name}({', '.join(['x'] * count)})")
        assert (found.func.__name__, found.args) == (name, (X,) * count)
        assert isinstance(found, AppliedUndef)
    assert name in marked(f"{name}({', '.join(['x'] * (most + 1))})")[0][1]


@pytest.mark.parametrize("name", ALIASES)
def test_other_spellings_are_read_as_the_function_they_name(name: str) -> None:
    arguments = ["x"] * FUNCTIONS[ALIASES[name]].arity[0]
    assert value(f"{name}({', '.join(arguments)})").func.__name__ == ALIASES[name]


def test_a_power_of_e_is_the_function_exp() -> None:
    assert value("E**(2*x)") == f("exp", 2 * X)
    assert value("E * E") == f("exp", 2)
    assert value("pi * E") == sympy.pi * sympy.E


def test_a_root_that_sympy_folds_into_abs_is_a_name_again() -> None:
    assert value("(x**2)**(1/2)") == f("Abs", X)


def test_branches_and_conditions_stay_as_written() -> None:
    found = value("Piecewise((x, x > 0), (beta * x, True))")
    assert found.args == ((X, sympy.StrictGreaterThan(X, 0)), (BETA * X, sympy.true))
    assert value("Piecewise((1, 0 < x <= 1), (0, True))").args[0][1] == sympy.And(sympy.Lt(0, X), sympy.Le(X, 1))
    assert value("Piecewise((1, (x < -1) | (x > 1)), (0, True))").args[0][1] == sympy.Or(X < -1, X > 1)
    assert value("Piecewise((1, x == 0), (sin(x)/x, True))").args[0][1] == sympy.Eq(X, 0)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("x * sigmiod(beta)", "sigmiod", "unknown function 'sigmiod'"),
        ("x * gama", "gama", "unknown name 'gama'"),
        ("__import__('os')", "__import__", "'__import__' is not a name that an expression can use"),
        ("x.__class__", ".", "'.' is not part of an expression"),
        ("x.real", ".", "'.' is not part of an expression"),
        ("(1).real", ".", "'.' is not part of an expression"),
        ("x**(10**9)", "10**9", "the exponent is too large"),
        ("9**9**9", "9**9", "the exponent is too large"),
        ("x**-65", "-65", "the exponent is too large"),
        ("((x**64)**64)", "(x**64)**64", "the exponent is too large"),
        ("x**64 * x**64", "x**64 * x**64", "the exponent is too large"),
        ("x**1e-300", "1e-300", "the exponent is too fine"),
        ("1e308 * 1e308", "1e308 * 1e308", "this folds to a number outside the range of float64"),
        ("1e99999999999", "1e99999999999", "the number lies outside the range of float64"),
        ("lambda: x", "lambda", "'lambda' is not part of an expression"),
        ("exp(lambda y: y)", "lambda", "'lambda' is not part of an expression"),
        ("[y for y in x]", "[", "'[' is not part of an expression"),
        ("sin(y for y in x)", "for", "'for' is not part of an expression"),
        ("x[0]", "[", "'[' is not part of an expression"),
        ("{x}", "{", "'{' is not part of an expression"),
        ("f'{x}'", "'", '"\'" is not part of an expression'),
        ('"x"', '"', "'\"' is not part of an expression"),
        ("(x := 1)", ":=", "':=' is not part of an expression"),
        ("Max(*x)", "*", "a value is missing before '*'"),
        ("Max(**x)", "**", "a value is missing before '**'"),
        ("exp(u=x)", "=", "'=' is not part of an expression"),
        ("x if x > 0 else 0", "if", "'if' is not part of an expression"),
        ("x > 0 and x < 1", "and", "'and' is not part of an expression"),
        ("not x", "not", "'not' is not part of an expression"),
        ("None", "None", "'None' is not part of an expression"),
        ("...", ".", "'.' is not part of an expression"),
        ("await x", "await", "'await' is not part of an expression"),
        ("x^2", "^", "'^' is not part of an expression"),
        ("x % 2", "%", "'%' is not part of an expression"),
        ("x // 2", "//", "'//' is not part of an expression"),
        ("~x", "~", "'~' is not part of an expression"),
        ("x; x", ";", "';' is not part of an expression"),
        ("x # x", "#", "'#' is not part of an expression"),
        ("x \\ x", "\\", "'\\\\' is not part of an expression"),
        ("β * x", "β", "'β' is not part of an expression"),
        ("x\u200b", "\u200b", "the character U+200B is not part of an expression"),
        ("x\0", "\0", "the character U+0000 is not part of an expression"),
        ("2x", "2x", "'2x' is not a number"),
        ("1_000", "1_000", "'1_000' is not a number"),
        ("0x10", "0x10", "'0x10' is not a number"),
        ("1j", "1j", "'1j' is not a number"),
        ("1.2.3", "1.2.3", "'1.2.3' is not a number"),
        ("007", "007", "the number '007' starts with a zero"),
        ("x sin(x)", "sin", "an operator is missing before 'sin'"),
        ("2 (x)", "(", "an operator is missing before '('"),
        ("sin(x)(x)", "(", "an operator is missing before '('"),
        ("x(2)", "x", "'x' is not a function"),
        ("x * (2", "(", "this parenthesis is never closed"),
        ("x) + (x", ")", "this parenthesis was never opened"),
        ("x, x", ",", "a comma stands between arguments only"),
        ("(x, x)", "(x, x)", "a list of values stands where one value is needed"),
        ("()", ")", "a value is missing before ')'"),
        ("sin()", "sin()", "sin takes 1 argument, not 0"),
        ("log(x, 2)", "log(x, 2)", "log takes 1 argument, not 2"),
        ("Max(x)", "Max", "Max of one argument reduces over an axis"),
        ("exp(x) / Sum(exp(x))", "Sum", "Sum of one argument reduces over an axis"),
        ("Sum(x, 2)", "Sum(x, 2)", "Sum takes 1 argument, not 2"),
        ("x * sin", "sin", "the function 'sin' stands without arguments"),
        ("x + True", "True", "True is no number"),
        ("x > 0", "x > 0", "a condition stands where a value is needed"),
        ("sin(x & x)", "x & x", "a condition stands where a value is needed"),
        ("x / 0", "0", "division by zero"),
        ("x / (1 - 1)", "1 - 1", "division by zero"),
        ("x / (beta - beta)", "beta - beta", "division by zero"),
        ("0**-1", "0**-1", "division by zero"),
        ("0**x", "0**x", "0 has no such power"),
        ("(-8)**(1/3)", "(-8)**(1/3)", "a negative number has no such power among the real numbers"),
        ("(-2)**x", "(-2)**x", "a negative number has no such power among the real numbers"),
        ("2**(1/2) + 3**(1/2)", "2**(1/2) + 3**(1/2)", "a sum of roots of constants is not folded"),
        ("(1 + pi)**(1/2)", "(1 + pi)**(1/2)", "a root of a sum of constants is not folded"),
        ("----x", "-", "there are more than 3 signs in a row"),
        ("x -", "", "the expression ends where a value should follow"),
        ("", "", "the expression is empty"),
        ("x * oo", "oo", "an expression has no 'oo'"),
        ("Piecewise((x, True))", "Piecewise((x, True))", "a Piecewise needs two branches or more"),
        ("Piecewise(x, (x, True))", "x", "a branch of a Piecewise is a pair (value, condition)"),
        ("Piecewise((x, x > 0), (0, x <= 0))", "x <= 0", "the last condition of a Piecewise must be True"),
        ("Piecewise((x, True), (0, True))", "True", "branches after the condition True are never reached"),
        ("Piecewise((x, x), (0, True))", "x", "a value stands where a condition is needed"),
        ("Piecewise((x > 0, x > 0), (0, True))", "x > 0", "a condition stands where a value is needed"),
        ("Piecewise((x, beta > 0), (0, True))", "beta > 0", "this condition is always true"),
        ("Piecewise((x, (x > 0) & (x <= 0)), (0, True))", "(x > 0) & (x <= 0)", "this condition is always false"),
        ("Piecewise((x, 1 > 2), (0, True))", "1 > 2", "this compares two constants"),
        ("Piecewise((x, x > 0 & x < 1), (0, True))", "0 & x", "& and | bind tighter than comparisons"),
    ],
)
def test_what_is_outside_the_grammar_is_refused_where_it_stands(text: str, place: str, message: str) -> None:
    assert marked(text)[0] == (place, message)


@pytest.mark.parametrize("opening", ["(", "sin(", "-(", "x**(", "Max(x, ", "[", "{", "Piecewise((x, "])
def test_deep_nesting_is_refused_before_the_parser_sees_it(opening: str) -> None:
    start = time.perf_counter()
    assert marked(opening * 5000 + "x" + ")" * 5000)
    assert time.perf_counter() - start < 1


def test_five_thousand_parentheses_are_refused_at_the_one_too_many() -> None:
    flaw = read("(" * 5000 + "x" + ")" * 5000).flaws[0]
    assert (flaw.start, flaw.stop, flaw.message) == (32, 33, "parentheses are nested more than 32 deep")


@pytest.mark.parametrize("text", ["x" + "+x" * 299, "-x" * 299, "x" + "**x" * 200, "1/(" * 40 + "x" + ")" * 40])
def test_long_chains_are_refused_or_read_but_crash_nothing(text: str) -> None:
    reading = read(text)
    assert (reading.expression is None) == bool(reading.flaws)


def test_too_many_parts_are_refused() -> None:
    assert marked("x" + "+x" * 5000)[0][1] == "the expression has more than 600 parts"
    assert marked("x" + " " * 5000)[0][1] == "the expression is longer than 4000 characters"


def test_all_unknown_names_of_an_expression_are_reported() -> None:
    assert [place for place, _ in marked("sigmiod(x) + gama * tahn(delta)")] == ["sigmiod", "gama", "delta", "tahn"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sigmiod(x)", "did you mean 'sigmoid'?"),
        ("Tanh(x)", "did you mean 'tanh'?"),
        ("heaviside(x)", "write Heaviside(u)"),
        ("silu(x)", "write u * sigmoid(u)"),
        ("bata * x", "did you mean 'beta'?"),
        ("x * PI", "did you mean 'pi'?"),
        ("x^2", "write ** for a power"),
        ("λ * x", "write lambd"),
        ("x × 2", "write *"),
    ],
)
def test_a_remedy_says_what_to_write(text: str, remedy: str) -> None:
    assert read(text).flaws[0].remedy == remedy


@settings(deadline=2000, max_examples=300)
@given(st.text(max_size=200))
def test_random_text_is_read_or_refused_and_raises_nothing(text: str) -> None:
    reading = read(text)
    assert (reading.expression is None) == bool(reading.flaws)


_LETTERS = st.sampled_from([*"x0123456789.+-*/()<>=!&|, eE_", "**", "Max(", "Piecewise((", "True", "beta", "pi", "__"])


@settings(deadline=2000, max_examples=500)
@given(st.lists(_LETTERS, max_size=60).map("".join))
def test_near_expressions_are_read_or_refused_and_raise_nothing(text: str) -> None:
    reading = read(text)
    assert (reading.expression is None) == bool(reading.flaws)
    assert all(0 <= flaw.start <= flaw.stop <= len(text) and flaw.message for flaw in reading.flaws)


_ATOMS = st.sampled_from([*"x0123", "beta", "nu", "pi", "E", "64", "0.5", "1e300", "1e-300", "(1/3)", "1.702", "(-1)"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda u: f"-{u}"),
        st.tuples(st.sampled_from(["exp", "sqrt", "Abs", "sign"]), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        pair.map(lambda uv: f"Max({uv[0]}, {uv[1]})"),
        st.tuples(inner, inner, st.sampled_from(["<", ">=", "=="]), inner, inner).map(
            lambda parts: f"Piecewise(({parts[0]}, {parts[1]} {parts[2]} {parts[3]}), ({parts[4]}, True))"
        ),
    )


@settings(deadline=5000, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(_ATOMS, _grown, max_leaves=30))
def test_every_formula_of_the_grammar_is_read_or_refused_quickly_and_is_real(text: str) -> None:
    reading = read(text)
    assert (reading.expression is None) == bool(reading.flaws)
    if reading.expression is not None:
        assert reading.expression.is_extended_real is not False
        assert not reading.expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, sympy.exp, sympy.Abs)
