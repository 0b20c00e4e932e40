"""Words of the command line become a request, in one order however they are given."""

from __future__ import annotations

from actgen.verify.record import DTYPES, MODES
from actgen.verify.request import POINTS, Request


def test_what_is_named_is_measured_in_the_order_of_the_pages() -> None:
    asked = Request.of(["jax", "torch"], ["eager"], ["float16", "float64"], "1, 0", 128)
    assert asked == Request(("torch", "jax"), ("float64", "float16"), (0, 1), ("eager",), 128)


def test_what_is_not_named_is_everything() -> None:
    assert Request.of([], [], [], None, None) == Request((), DTYPES, (0, 1, 2), MODES, POINTS)


def test_an_exhaustive_run_is_of_the_value_in_float32_unless_derivatives_are_named() -> None:
    assert Request.of([], [], [], None, None, True) == Request((), ("float32",), (0,), MODES, 0, True)
    assert Request.of([], [], ["float32"], "0,1", None, True).orders == (0, 1)
