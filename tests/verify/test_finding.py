"""What is found of results that are wrong in one way each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from actgen.numerics.contract import FORMATS
from actgen.numerics.oracle import Exact
from actgen.verify.finding import Finding, find

POINTS = np.array([1.0, 2.0, 3.0, math.inf, -math.inf, math.nan])
RIGHT = np.array([1.0, 2.0, 3.0, math.inf, 0.0, math.nan])


def found(results: list[float], **options: Any) -> Finding:
    truth = Exact(RIGHT, np.zeros(len(RIGHT)), np.ones(len(RIGHT), dtype=bool))
    return find(POINTS, np.array(results, dtype=np.float32), truth, np.zeros_like, FORMATS["float32"], **options)


def test_right_results_keep_the_contract() -> None:
    finding = found(RIGHT.tolist())
    assert (finding.units, finding.spurious, finding.wrong) == (0.0, 0, ())
    assert finding.keeps(FORMATS["float32"])


def test_the_worst_error_is_told_with_its_place() -> None:
    finding = found([1.0, 2.0 + 5 * 2.0**-22, 3.0, math.inf, 0.0, math.nan])
    assert (finding.ulps, finding.ulps_at, finding.units, finding.units_at) == (5.0, 2.0, 5.0, 2.0)
    assert not finding.keeps(FORMATS["float32"])


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_nan_and_infinity_for_numbers_are_counted(wrong: float) -> None:
    finding = found([wrong, 2.0, wrong, math.inf, 0.0, math.nan])
    assert (finding.spurious, finding.units) == (2, math.inf)


@pytest.mark.parametrize(("place", "end"), [(3, "inf"), (4, "-inf"), (5, "nan")])
def test_a_wrong_limit_is_told_apart_from_errors_at_numbers(place: int, end: str) -> None:
    results = RIGHT.tolist()
    results[place] = 7.0
    finding = found(results)
    assert (finding.wrong, finding.units) == ((end,), 0.0)
    assert not finding.keeps(FORMATS["float32"])
    assert found(results, asks_nan=False).wrong == (() if end == "nan" else (end,))


def test_a_number_whose_exact_value_is_not_known_is_counted_and_not_judged() -> None:
    decided = np.array([True, False, True, True, True, False])
    exact = Exact(np.where(decided, RIGHT, math.nan), np.zeros(len(RIGHT)), decided)
    wrong = np.array([1.0, 99.0, 3.0, math.inf, 0.0, math.nan], dtype=np.float32)
    finding = find(POINTS, wrong, exact, np.zeros_like, FORMATS["float32"])
    assert (finding.undecided, finding.units) == (1, 0.0)


def test_of_two_findings_each_error_is_the_worse() -> None:
    one = Finding(9.0, 1.0, 2.0, 1.0, 1, ("inf",), 3, "beta = 1")
    two = Finding(5.0, 2.0, 3.0, 2.0, 2, ("nan",), 4, "beta = 2")
    both = Finding(9.0, 1.0, 3.0, 2.0, 3, ("inf", "nan"), 7, "beta = 2")
    assert one.worse(two) == two.worse(one) == both
