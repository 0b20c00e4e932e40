"""Running a kernel in rounded arithmetic, one rounding an operation, the same on every machine.

Each operation is computed in a wider type (float64 for float32, long double for float64) and rounded to the type being
emulated. That would be a machine whose every primitive is correctly rounded; real ones are off by some ULP in exp,
tanh and the like, and some take subnormal numbers for zero. An :class:`Arithmetic` says how far: its errors are put on
the results of primitives as noise that depends on nothing but the operand, so that a build judges alike everywhere.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable

Array = NDArray[Any]

_WIDER: Mapping[str, type[np.floating[Any]]] = {"float32": np.float64, "float64": np.longdouble}


@dataclass(frozen=True)
class Arithmetic:
    """What a target's machine does to an operation.

    Attributes:
        name: for reports.
        flushes: whether subnormal operands and results count as zero, as under XLA and in TensorFlow.
        keeps: whether they may be kept all the same, so that a kernel is judged both ways.
        errors: for each operation that is not correctly rounded, its largest error in ULP in float32 and in float64,
            as measured.
        lopsided: odd functions that are off by more, or less, at -a than at a.
        contracts: whether a compiler makes one operation of a product and a sum, as LLVM does for XLA.
        margin: units of the contract that a kernel may be off in emulation; the rest is for what the emulation leaves
            out.
    """

    name: str
    flushes: bool = True
    keeps: bool = False
    errors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lopsided: frozenset[str] = frozenset()
    contracts: bool = False
    margin: float = 2.75

    @property
    def roughness(self) -> float:
        """A number that is larger for a machine that is less exact."""
        return sum(single + double for single, double in self.errors.values()) + 1000 * self.flushes


_ALL_BUT_EXACT = 0.02  # ULP
_BITS = 80  # of long double are 64
_TYPICAL = 0.8
"""A primitive's largest error occurs on a short stretch; over most of the line it is about this part of it."""

IDEAL = Arithmetic("correctly rounded, subnormals flushed or kept", keeps=True)


def run(kernel: Kernel, values: Mapping[str, Array | float], dtype: str, arithmetic: Arithmetic = IDEAL) -> Array:
    """Evaluate a kernel.

    Args:
        kernel: what to run.
        values: an array or a number for each variable, by name; rounded to ``dtype`` first.
        dtype: "float32" or "float64".
        arithmetic: of the machine to emulate.

    Returns:
        An array of ``dtype``, broadcast over the inputs.
    """
    return Emulator(values, dtype, arithmetic).run(kernel)


class Emulator:
    """A machine with its inputs, which remembers what it has computed: the forms of one formula share most of it.

    Args:
        values: an array or a number for each variable, by name; rounded to ``dtype`` first.
        dtype: "float32" or "float64".
        arithmetic: of the machine to emulate.
        room: bytes of results that are remembered; all are forgotten where that is exceeded.
        functions: what functions give, shared with other machines.
    """

    def __init__(
        self,
        values: Mapping[str, Array | float],
        dtype: str,
        arithmetic: Arithmetic = IDEAL,
        room: int = 2**25,
        functions: Functions | None = None,
    ) -> None:
        self._values, self._functions = values, functions or Functions()
        self._narrow = np.dtype(dtype)
        self._tiny = np.finfo(self._narrow).tiny if arithmetic.flushes else 0.0
        self._ulps = {name: ulps[self._narrow.itemsize == 8] for name, ulps in arithmetic.errors.items()}
        self._direct = _IN_THE_TYPE - {name for name, ulps in self._ulps.items() if ulps > 0.5}
        self._room, self._taken = room, 0
        self._memory: dict[Node, Array] = {}

    def run(self, kernel: Kernel) -> Array:
        """The result of a kernel over the inputs, as :func:`run` gives it."""
        if self._taken > self._room:
            self._memory, self._taken = {}, 0
        with np.errstate(all="ignore"):
            for node in self._unknown(kernel.result):
                result = self._evaluate(node)
                self._memory[node] = result
                self._taken += result.nbytes
        return np.asarray(self._memory[kernel.result], dtype=self._narrow)

    def _unknown(self, wanted: Node) -> Iterator[Node]:
        """What is to be computed, operands before their users, each before the next is asked for."""
        stack = [wanted]
        while stack:
            node = stack[-1]
            missing = [operand for operand in node.operands if operand not in self._memory]
            if node in self._memory or not missing:
                stack.pop()
                if node not in self._memory:
                    yield node
            else:
                stack.extend(reversed(missing))

    def _evaluate(self, node: Node) -> Array:
        if isinstance(node, Variable):
            return self._flushed(np.array(self._values[node.name], dtype=self._narrow))
        if isinstance(node, Constant):
            return np.asarray(node.value, dtype=self._narrow)
        assert isinstance(node, Call)
        operation, operands = node.operation, [self._memory[operand] for operand in node.arguments]
        if operation in self._direct:
            result = np.asarray(EVALUATIONS[operation](*operands))
        else:
            found = self._functions(operation, operands, self._narrow)
            result = found.off_by(self._ulps.get(operation, 0.0))
        return result if operation in _NEVER_SUBNORMAL else self._flushed(result)

    def _flushed(self, values: Array) -> Array:
        """Subnormal numbers as zeros of their sign, on a machine that takes them so; in place."""
        if self._tiny:
            is_subnormal = np.abs(values) < self._tiny
            if np.count_nonzero(is_subnormal):
                np.multiply(values, 0, out=values, where=is_subnormal)
        return values


@dataclass(frozen=True)
class _Rounded:
    """A function's results in the wider type and rounded, and what a machine's error in them is made of."""

    operation: str
    operand: Array
    exact: Array
    rounded: Array

    @cached_property
    def _spacing(self) -> Array:
        return np.spacing(np.abs(self.rounded)).astype(self.exact.dtype)

    @cached_property
    def _inexactness(self) -> Array:
        """What is exact, such as exp(0) = 1, is so on every machine that was measured; what is nearly so, nearly so."""
        distance = np.abs(self.exact - self.rounded.astype(self.exact.dtype))
        return np.asarray(np.minimum(distance / self._spacing / _ALL_BUT_EXACT, 1.0))

    @cached_property
    def _noise(self) -> Array:
        return _noise(self.operand, self.operation)

    def off_by(self, ulps: float) -> Array:
        """The results of a machine on which they are off by up to so many ULP."""
        if ulps <= 0.5:
            return self.rounded.copy()
        noise = _TYPICAL * (ulps - 0.5) * self._inexactness * self._noise * self._spacing
        noisy = (self.exact + noise).astype(self.rounded.dtype)
        # Nor does a machine give -0 for an exponential that underflows, of which the reciprocal would be -inf.
        is_kept = np.isfinite(self.rounded) & (np.signbit(noisy) == np.signbit(self.rounded))
        return np.where(is_kept, noisy, self.rounded)


class Functions:
    """What functions give for operands that they had before: mostly on another machine, where only errors differ.

    Args:
        room: bytes of results that are remembered; all are forgotten where that is exceeded.
    """

    def __init__(self, room: int = 2**26) -> None:
        self._room, self._taken = room, 0
        self._known: dict[tuple[object, ...], _Rounded] = {}

    def __call__(self, operation: str, operands: Sequence[Array], narrow: np.dtype[Any]) -> _Rounded:
        """The results of an operation, computed in a wider type."""
        key = (operation, narrow, *((operand.shape, operand.tobytes()) for operand in operands))
        if key not in self._known:
            if self._taken > self._room:
                self._known, self._taken = {}, 0
            found = self._known[key] = _rounded(operation, operands, narrow)
            self._taken += sum(operand.nbytes for operand in operands) + 5 * found.exact.nbytes
        return self._known[key]


def _rounded(operation: str, operands: Sequence[Array], narrow: np.dtype[Any]) -> _Rounded:
    wide = _WIDER[narrow.name]
    exact = np.asarray(EVALUATIONS[operation](*(operand.astype(wide) for operand in operands)))
    return _Rounded(operation, operands[0], exact, exact.astype(narrow))


def _noise(operand: Array, operation: str) -> Array:
    """Numbers in [-1, 1] that look random, from the bits of an operand and the name of an operation."""
    seed = np.uint64(zlib.crc32(operation.encode()))
    bits = np.atleast_1d(operand).astype(np.float64).view(np.uint64) ^ seed
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return np.asarray((bits >> np.uint64(11)) * 2.0**-52 - 1.0).reshape(operand.shape)


def _head(values: Array) -> Array:
    """Numbers without the lower half of their digits, so that the product of two of them is exact."""
    bits, kept = ("int32", -(1 << 12)) if values.dtype == np.float32 else ("int64", -(1 << 27))
    return np.asarray((values.view(bits) & np.array(kept, dtype=bits)).view(values.dtype))


def _binade(values: Array) -> Array:
    """Sizes with all digits but the first cleared."""
    bits, kept = ("int32", 0x7F800000) if values.dtype == np.float32 else ("int64", 0x7FF0000000000000)
    return np.asarray((values.view(bits) & np.array(kept, dtype=bits)).view(values.dtype))


def _pointwise(name: str) -> Callable[[Array], Array]:
    """A function that NumPy has not, one number after the other: in float64, or by balls for long double."""

    def precisely(value: float) -> tuple[float, float]:
        if not math.isfinite(value):
            return getattr(math, name)(value), 0.0
        ball: arb = getattr(arb(value), name)()
        high = float(ball.mid())
        return high, float((ball - high).mid())

    def apply(values: Array) -> Array:
        flat = values.astype(np.float64).ravel().tolist()
        if values.dtype != np.longdouble:
            return np.array(list(map(getattr(math, name), flat)), dtype=values.dtype).reshape(values.shape)
        with ctx.workprec(_BITS):
            parts = np.array(list(map(precisely, flat))).reshape(*values.shape, 2)
        return np.asarray(parts[..., 0].astype(np.longdouble) + parts[..., 1])

    return apply


def _sigmoid(values: Array) -> Array:
    t = np.exp(-np.abs(values))
    return np.asarray(np.where(values < 0, t, 1) / (1 + t))


EVALUATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "absolute": np.absolute,
    "sign": np.sign,
    "copysign": np.copysign,
    "square": np.square,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": np.clip,
    "floor": np.floor,
    "head": _head,
    "binade": _binade,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "power": np.power,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "erf": _pointwise("erf"),
    "erfc": _pointwise("erfc"),
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "both": np.logical_and,
    "either": np.logical_or,
    "select": np.where,
}
"""What each operation means, in numpy; a test holds the table to OPERATIONS."""

_COMPARING = frozenset(name for name, row in OPERATIONS.items() if row.rank == "comparison")

_IN_THE_TYPE = frozenset(name for name, row in OPERATIONS.items() if row.rank != "transcendental")
"""Operations that IEEE arithmetic rounds correctly in the type itself, and those that round nothing. Rounding twice
would not do where a sum is split into what is kept and what is lost."""

_NEVER_SUBNORMAL = _COMPARING | {
    *("negate", "absolute", "sign", "copysign", "maximum", "minimum"),
    *("floor", "head", "binade"),
}
"""Operations whose result is an operand but for its sign, or has the operand's exponent, or is whole: where operands
have been flushed it need not be."""
