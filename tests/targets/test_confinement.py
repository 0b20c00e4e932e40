"""The way from a raw parameter to its value and back, for every kind of domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from actgen.spec import Domain, Parameter
from actgen.targets.confinement import confine, projection

SCOPE = {
    "softplus": lambda raw: np.logaddexp(raw, 0),
    "sigmoid": lambda raw: 1 / (1 + np.exp(-raw)),
    "inverse_softplus": lambda gap: gap + np.log(-np.expm1(-gap)),
    "log": np.log,
}
NAMES = {name: name for name in SCOPE}


def parameter(domain: str, default: str) -> Parameter:
    return Parameter("alpha", sympy.Rational(default), "A parameter.", Domain.parse(domain), True, "scalar")


@pytest.mark.parametrize(
    ("domain", "default", "value", "raw", "ends", "condition"),
    [
        ("positive", "1", "softplus(raw)", "inverse_softplus(value)", (2.0**-126, None), "value > 0"),
        ("negative", "-1", "-softplus(raw)", "inverse_softplus(-value)", (None, -(2.0**-126)), "value < 0"),
        ("(1, inf)", "2", "1 + softplus(raw)", "inverse_softplus(value - 1)", (1 + 2.0**-23, None), "value > 1"),
        ("(-2, inf)", "2", "-2 + softplus(raw)", "inverse_softplus(value + 2)", (-2 + 2.0**-23, None), "value > -2"),
        ("(-inf, 1)", "0", "1 - softplus(raw)", "inverse_softplus(1 - value)", (None, 1 - 2.0**-24), "value < 1"),
        ("nonnegative", "0", "raw", "value", (0, None), "value >= 0"),
        ("nonpositive", "0", "raw", "value", (None, 0), "value <= 0"),
        ("[-1, 0.5]", "0", "raw", "value", (-1, 0.5), "(value >= -1) & (value <= 0.5)"),
        (
            "(0, 1)",
            "1/2",
            "sigmoid(raw)",
            "log(value / (1 - value))",
            (2.0**-126, 1 - 2.0**-24),
            "(value > 0) & (value < 1)",
        ),
        (
            "(-1, 3)",
            "0",
            "-1 + 4 * sigmoid(raw)",
            "log((value + 1) / (3 - value))",
            (-1 + 2.0**-24, 3 - 2.0**-22),
            "(value > -1) & (value < 3)",
        ),
        ("(0, 2]", "1", "softplus(raw)", "inverse_softplus(value)", (2.0**-126, 2), "(value > 0) & (value <= 2)"),
        (
            "[0, 2)",
            "1",
            "2 - softplus(raw)",
            "inverse_softplus(2 - value)",
            (0, 2 - 2.0**-23),
            "(value >= 0) & (value < 2)",
        ),
    ],
)
def test_the_mapping_of_a_domain_is_the_one_that_is_documented(
    domain: str, default: str, value: str, raw: str, ends: tuple[Any, Any], condition: str
) -> None:
    made = confine(parameter(domain, default))
    assert made is not None
    assert (made.value.format(raw="raw", **NAMES), made.raw.format(**NAMES)) == (value, raw)
    assert made.condition == condition
    assert tuple(None if end is None else float(end) for end in (made.lowest, made.highest)) == ends
    assert made.words.endswith(value.replace("raw", "raw_alpha"))


@pytest.mark.parametrize(
    "domain", ["positive", "negative", "(1, inf)", "(0, 1)", "(-1, 3)", "(0, 2]", "[0, 2)", "[0, 1]"]
)
def test_raw_and_value_are_inverse_to_each_other(domain: str) -> None:
    kind = Domain.parse(domain)
    made = confine(
        parameter(domain, "1" if sympy.Integer(1) in kind else "1/2" if sympy.Rational(1, 2) in kind else "-1")
    )
    assert made is not None
    numbers = np.array([n for n in (-5.0, -0.9, -1e-3, 1e-3, 0.3, 0.5, 0.999, 1.001, 1.9, 2.5, 40.0) if n in kind])
    raw = eval(made.raw.format(**NAMES), {**SCOPE, "value": numbers})
    again = eval(made.value.format(raw="raw", **NAMES), {**SCOPE, "raw": raw})
    np.testing.assert_allclose(again, numbers, rtol=1e-12)


@pytest.mark.parametrize(
    ("domain", "default", "ends"),
    [
        ("positive", "1", ("1e-07", "None")),
        ("positive", "1/10000000", ("5e-08", "None")),
        ("(100, inf)", "200", ("100.00001", "None")),
        ("negative", "-1", ("None", "-1e-07")),
        ("(0, 1)", "1/2", ("1e-07", "0.9999999")),
        ("[0, 1]", "0", ("0", "1")),
        ("nonpositive", "0", ("None", "0")),
    ],
)
def test_a_projection_keeps_a_step_from_an_open_end_and_reaches_a_closed_one(
    domain: str, default: str, ends: tuple[str, str]
) -> None:
    assert projection(parameter(domain, default)) == ends


def test_all_reals_need_neither() -> None:
    assert confine(parameter("real", "0")) is None
    assert projection(parameter("real", "0")) is None
