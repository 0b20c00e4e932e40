"""Triton kernels that call one function of the arithmetic of generated kernels."""

from typing import Any

import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator]
def unary(result: Any, a: Any, function: tl.constexpr, wide: tl.constexpr) -> None:
    at = tl.arange(0, 128)
    tl.store(result + at, function(tl.load(a + at)).to(wide))


@triton.jit  # type: ignore[untyped-decorator]
def binary(result: Any, a: Any, b: Any, function: tl.constexpr, wide: tl.constexpr) -> None:
    at = tl.arange(0, 128)
    tl.store(result + at, function(tl.load(a + at), tl.load(b + at)).to(wide))
