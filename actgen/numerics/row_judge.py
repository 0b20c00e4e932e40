"""Judging axis-wise results: the error at each element of a row, in units of the accuracy contract.

For results y_i of a row, and everything that goes in (the row; its tangent or cotangent too, for a product):

    |y_i - f_i| <= N (ulp(f_i) + u sum over inputs |input df_i/d input|)

What half an ulp in any of the inputs is worth is not the function's fault.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from actgen.numerics.contract import FORMATS
from actgen.numerics.emulation import Arithmetic, Array, Emulator
from actgen.numerics.kernel import REDUCTIONS, Call, Kernel, Node
from actgen.numerics.oracle import Floats
from actgen.numerics.row_oracle import RowOracle, RowTruth
from actgen.numerics.row_samples import RowSample


@dataclass(frozen=True)
class RowErrors:
    """The largest errors on rows.

    Attributes:
        units: in units of the contract; infinite for a wrong NaN or infinity.
        ulps: the largest in units in the last place.
        at: the element of the input where the first occurs (of a reduction, the first element).
        where: the row.
    """

    units: float
    ulps: float
    at: float
    where: str

    def worse(self, other: RowErrors) -> RowErrors:
        """Both in one."""
        first, second = (self, other) if self.units >= other.units else (other, self)
        return RowErrors(first.units, max(first.ulps, second.ulps), first.at, first.where)


NONE = RowErrors(0.0, 0.0, 0.0, "")


def row_errors(results: NDArray[np.floating], truth: RowTruth, dtype: str, sample: RowSample) -> RowErrors:
    """How far results on one row are off, at the elements of which the conditions are known."""
    form = FORMATS[dtype]
    worst = NONE
    for i in np.flatnonzero(~np.isnan(truth.conditions)):
        exact, result = truth.values[i], float(results[i])
        target = float(form.nearest(np.array([float(exact.mid())]))[0])
        if math.isinf(target) and result == target:
            continue
        spacing = float(form.spacing(np.array([target]))[0])
        with ctx.workprec(256):
            error = float(abs(arb(result) - exact.mid()).mid()) if math.isfinite(result) else math.inf
        if error <= form.flushed and abs(target) <= 2 * form.flushed:
            continue
        ulps = error / spacing
        units = error / (spacing + form.half_spacing * float(truth.conditions[i]))
        at = float(sample.row[i if i < len(sample.row) else 0])
        worst = worst.worse(RowErrors(units if not math.isnan(units) else math.inf, ulps, at, sample.name))
    return worst


def truth_of(oracle: RowOracle, quantity: str, sample: RowSample, reduces: bool, most: int | None = None) -> RowTruth:
    """The exact results of a quantity on a sample; conditions at no more than so many elements, spread out."""
    row = sample.row.tolist()
    length = 1 if reduces and quantity != "vjp" else len(row)
    places = None if most is None or length <= most else np.linspace(0, length - 1, most).astype(int).tolist()
    match quantity:
        case "value":
            return oracle.value(row, places)
        case "jvp":
            return oracle.jvp(row, sample.tangent.tolist(), places)
    return oracle.vjp(row, (sample.cotangent[:1] if reduces else sample.cotangent).tolist(), places)


def inputs_of(sample: RowSample, quantity: str, reduces: bool) -> dict[str, Floats]:
    """What a kernel reads, by name."""
    found = {"x": sample.row}
    if quantity == "jvp":
        found["tangent"] = sample.tangent
    if quantity == "vjp":
        found["cotangent"] = sample.cotangent[:1] if reduces else sample.cotangent
    return found


def run_row(kernel: Kernel, values: Mapping[str, Array | float], dtype: str, machine: Arithmetic) -> Array:
    """Evaluate an axis-wise kernel on one row in emulated arithmetic."""
    return np.atleast_1d(RowEmulator(values, dtype, machine).run(kernel))


class RowEmulator(Emulator):
    """An emulator that knows reductions, over the last axis."""

    def _evaluate(self, node: Node) -> Array:
        if not isinstance(node, Call) or node.operation not in REDUCTIONS:
            return super()._evaluate(node)
        operand = np.atleast_1d(self._memory[node.arguments[0]])
        match node.operation:
            case "sum":
                return np.asarray(operand.sum(axis=-1, keepdims=True, dtype=self._narrow))
            case "mean":
                total = operand.sum(axis=-1, keepdims=True, dtype=self._narrow)
                return np.asarray(total / self._narrow.type(operand.shape[-1]), dtype=self._narrow)
            case "largest":
                return np.asarray(operand.max(axis=-1, keepdims=True))
            case "smallest":
                return np.asarray(operand.min(axis=-1, keepdims=True))
            case "length":
                return np.asarray(operand.shape[-1], dtype=self._narrow)
        return operand
