"""Triton kernels that call one function of the arithmetic of generated kernels."""

import triton
import triton.language as tl


@triton.jit
def unary(result, a, FUNCTION: tl.constexpr, WIDE: tl.constexpr):
    at = tl.arange(0, 128)
    tl.store(result + at, FUNCTION(tl.load(a + at)).to(WIDE))


@triton.jit
def binary(result, a, b, FUNCTION: tl.constexpr, WIDE: tl.constexpr):
    at = tl.arange(0, 128)
    tl.store(result + at, FUNCTION(tl.load(a + at), tl.load(b + at)).to(WIDE))
