"""Triton kernels that call one function of the arithmetic of generated kernels."""

import triton
import triton.language as tl


@triton.jit  # type: ignore[untyped-decorator]
def unary(result, a, function: tl.constexpr, wide: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.arange(0, 128)
    tl.store(result + at, function(tl.load(a + at)).to(wide))


@triton.jit  # type: ignore[untyped-decorator]
def binary(result, a, b, function: tl.constexpr, wide: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.arange(0, 128)
    tl.store(result + at, function(tl.load(a + at), tl.load(b + at)).to(wide))
