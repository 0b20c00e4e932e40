"""How a spec says that a parameter is drawn, and what it may not say."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
from sympy import Rational

from actgen.spec import Activation

Load = Callable[..., Activation]
Refuse = Callable[..., str]

SPEC = """\
title = "Probe"
summary = "A random slope to try things on."
expression = "slope * x"
folklore = true
[parameters.lower]
default = 0.125
description = "Least slope."
[parameters.slope]
description = "Slope."
distribution = {uniform = ["lower", 0.5]}
"""


def test_what_is_drawn_is_no_argument_and_its_default_is_the_mean(load: Load) -> None:
    probe = load(SPEC)
    assert [parameter.name for parameter in probe.parameters] == ["lower"]
    (draw,) = probe.draws
    assert (draw.parameter.name, draw.family, draw.ends) == ("slope", "uniform", ("lower", Rational(1, 2)))
    assert draw.parameter.default == Rational(5, 16)
    assert [parameter.name for parameter in probe.variables] == ["slope"]


def test_a_parameter_may_be_an_end_and_stand_in_the_formula(load: Load) -> None:
    probe = load(SPEC.replace("slope * x", "slope * x + lower"))
    assert [parameter.name for parameter in probe.variables] == ["lower", "slope"]


@pytest.mark.parametrize(
    ("distribution", "mean"), [("{normal = [0, 1]}", 0), ('{normal = ["lower", 2.5]}', Rational(1, 8))]
)
def test_the_mean_of_a_normal_distribution_is_its_first_end(load: Load, distribution: str, mean: Rational) -> None:
    text = SPEC.replace('{uniform = ["lower", 0.5]}', distribution)
    if "lower" not in distribution:
        text = text.replace("slope * x", "slope * x * lower")
    assert load(text).draws[0].parameter.default == mean


CASES = {
    "a default": (
        SPEC.replace('description = "Slope."', 'default = 1\ndescription = "Slope."'),
        """\
        probe.toml:9:1: the default of a stochastic parameter is the mean of its distribution; remove default
          default = 1
          ^^^^^^^""",
    ),
    "neither default nor distribution": (
        SPEC.replace('distribution = {uniform = ["lower", 0.5]}\n', ""),
        """\
        probe.toml:8:13: the key 'default' is missing; \
add it: the default value: a number, exact as written, or a fraction such as "1/6".
          [parameters.slope]
                      ^^^^^""",
    ),
    "an unknown end": (
        SPEC.replace('["lower", 0.5]', '["lowre", 0.5]'),
        """\
        probe.toml:10:28: 'lowre' is neither a number nor a parameter; did you mean 'lower'?
          distribution = {uniform = ["lowre", 0.5]}""",
    ),
    "itself": (
        SPEC.replace('["lower", 0.5]', '["slope", 0.5]'),
        """\
        probe.toml:10:28: 'slope' is stochastic itself; write a number, or another parameter
          distribution = {uniform = ["slope", 0.5]}""",
    ),
    "ends in the wrong order": (
        SPEC.replace('["lower", 0.5]', '["lower", 0.0625]'),
        """\
        probe.toml:10:27: the lower end lies above the upper one; correct them, or their defaults
          distribution = {uniform = ["lower", 0.0625]}""",
    ),
    "a negative deviation": (
        SPEC.replace('uniform = ["lower", 0.5]', 'normal = ["lower", -1]'),
        "the deviation is negative; correct them, or their defaults",
    ),
    "two families": (
        SPEC.replace("0.5]}", "0.5], normal = [0, 1]}"),
        "probe.toml:10:1: a distribution is either uniform or normal; write {uniform = [lower, upper]} or",
    ),
    "no family": (
        SPEC.replace('{uniform = ["lower", 0.5]}', "{}"),
        "probe.toml:10:1: a distribution is either uniform or normal; write {uniform = [lower, upper]} or",
    ),
    "a family with a typo": (SPEC.replace("uniform", "unifrom"), "did you mean 'uniform'?"),
    "three ends": (SPEC.replace("0.5]", "0.5, 1]"), "uniform"),
    "an end that is true": (SPEC.replace("0.5]", "true]"), "an end of a distribution is a number or the name of"),
    "something trainable beside it": (
        SPEC.replace('"Least slope."', '"Least slope."\ntrainable = true'),
        """\
        probe.toml:8:1: nothing is trained beside a stochastic parameter; remove trainable, or distribution
          trainable = true
          ^^^^^^^^^""",
    ),
    "a gated unit": (
        'kind = "gated"\n' + SPEC.replace("slope * x", "slope * a * b"),
        "a gated unit has no stochastic parameters; make it a number",
    ),
    "an unused end is no end": (
        SPEC + '[parameters.upper]\ndefault = 1\ndescription = "Unused."\n',
        "the expression does not depend on 'upper'; remove the parameter, or use it",
    ),
    "nothing drawn in the formula": (
        SPEC.replace("slope * x", "x"),
        "the expression does not depend on 'slope'; remove the parameter, or use it",
    ),
}


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_shown_where_it_is_with_what_to_do(refuse: Refuse, mistake: str) -> None:
    text, message = CASES[mistake]
    assert dedent(message) in refuse(text)
