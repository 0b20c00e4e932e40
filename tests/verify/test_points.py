"""Which floats code is measured at."""

from __future__ import annotations

import numpy as np
import pytest

from actgen.numerics.contract import FORMATS
from actgen.verify.points import decode, encode, every, stratified, without_inexact_kinks


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_every_half_number_is_taken_once_and_survives_the_way_to_its_bits_and_back(dtype: str) -> None:
    points = every(dtype)
    assert len(points) == 2**16
    bits = np.arange(2**16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):
        again = encode(points, dtype).view(np.uint16)
    is_number = ~np.isnan(points)
    np.testing.assert_array_equal(again[is_number], bits[is_number])
    assert np.isnan(decode(again, dtype)[~is_number]).all()
    form = FORMATS[dtype]
    finite = np.abs(points[np.isfinite(points)])
    assert (finite.max(), finite[finite > 0].min()) == (form.largest, form.smallest)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_has_every_binade_and_the_numbers_that_matter(dtype: str) -> None:
    form, scalar = FORMATS[dtype], np.dtype(dtype).type
    points = stratified(dtype, 2**14, kinks=[0.5, 3.0])
    assert 0.9 * 2**14 < len(points) < 1.6 * 2**14
    np.testing.assert_array_equal(points, points.astype(dtype))
    assert np.isfinite(points).all()
    exponents = np.frexp(points[np.abs(points) >= 2.0**form.lowest])[1] - 1
    assert set(exponents.tolist()) == set(range(form.lowest, form.highest + 1))
    special = [0.0, form.largest, 2.0**form.lowest, form.smallest, 0.5, 3.0]
    special += [float(np.nextafter(scalar(3), scalar(end))) for end in (0, 9)]
    special += [float(np.nextafter(scalar(2.0**k), scalar(0))) for k in (form.lowest, -1, 0, 7, form.highest)]
    assert set(special) <= set(points.tolist())
    assert {-abs(x) for x in special if x not in (0.5, 3.0) and abs(x - 3) > 0.1} <= set(points.tolist())
    subnormal = points[(np.abs(points) < 2.0**form.lowest) & (points != 0)]
    assert len(np.unique(np.frexp(subnormal)[1])) >= form.digits - 1
    assert np.signbit(points[points == 0]).sum() == 1


def test_only_a_kink_that_no_float_hits_is_left_out() -> None:
    third = 1 / 3
    points = np.array([np.float32(third), 0.5, 1.0], dtype=np.float64)
    np.testing.assert_array_equal(without_inexact_kinks(points, [third, 0.5], "float32"), [0.5, 1.0])
