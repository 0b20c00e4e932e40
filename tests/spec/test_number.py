from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from actgen.spec.number import NumberError, exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.044715", Fraction(44715, 1000000)),
        ("1e-3", Fraction(1, 1000)),
        ("1/6", Fraction(1, 6)),
        (" -2.5e1 / 5 ", Fraction(-5)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("+7", Fraction(7)),
        ("0", Fraction(0)),
        ("1.6732632423543772848170429916717", Fraction(16732632423543772848170429916717, 10**31)),
    ],
)
def test_a_number_is_what_its_digits_say(text: str, value: Fraction) -> None:
    assert exact(text) == sympy.Rational(value.numerator, value.denominator)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9))
def test_every_decimal_is_exact(number: object) -> None:
    assert Fraction(str(number)) == Fraction(*exact(str(number)).as_numer_denom())


@pytest.mark.parametrize(
    "text", ["", ".", "e5", "1/", "/2", "1/2/3", "0x10", "1_000", "inf", "nan", "1,5", "٣", "1 2", "--1"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        exact(text)


@pytest.mark.parametrize("text", ["1e999999999999", "1e-400", "1e400", "1" * 5000, "1/" + "9" * 3000, "1e309/1e-20"])
def test_numbers_beyond_float64_are_refused_before_they_cost_anything(text: str) -> None:
    with pytest.raises(NumberError, match=r"range of float64|digits"):
        exact(text)


def test_division_by_zero_is_no_number() -> None:
    with pytest.raises(NumberError, match="division by zero"):
        exact("1/0")
