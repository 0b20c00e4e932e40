"""Axis-wise functions under test: rows of every kind, judged element by element, values and both products."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from actgen.build.axiswise import NAMES
from actgen.numerics.axiswise import normal_formula, settings_of
from actgen.numerics.contract import FORMATS
from actgen.numerics.oracle import Floats
from actgen.numerics.row_judge import NONE, RowErrors, row_errors, truth_of
from actgen.numerics.row_oracle import RowOracle, RowTruth
from actgen.numerics.row_samples import RowSample, row_samples
from actgen.spec import Activation
from actgen.symbolic.balls import UndecidedError
from actgen.verify.batch import Failed
from actgen.verify.builtin import Native
from actgen.verify.finding import Finding
from actgen.verify.points import wide
from actgen.verify.record import Cell, Entry

LENGTHS = {"eager": (1, 2, 3, 8, 64, 1000), "compiled": (8, 1000)}
"""Of rows: each length costs a compiler seconds."""

_COSTLY = ("torch", "compiled")
"""Where a graph costs so many that there is one length, at the default parameters."""

_PLACES = 3
"""At how many elements of a row results are judged; the conditions of each cost as much as the row."""

_BIG = 1000
"""From here on a row is taken in a few kinds only."""

_LONG = ("ordinary", "offset,", "saturated deeply", "one outlier")


class RowFramework(Protocol):
    """A module that runs functions on rows in one framework."""

    def evaluate(
        self, function: Callable[..., Any], dtype: str, inputs: Mapping[str, Floats], quantity: str, mode: str
    ) -> NDArray[np.floating] | None:
        """A quantity for each row of a matrix, as float32 or float64; None where the framework has no such thing."""


@dataclass
class RowSubject:
    """An axis-wise activation under test."""

    activation: Activation
    _truths: dict[tuple[str, int, str, str], RowTruth | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.formula = normal_formula(self.activation)
        self.settings = list(settings_of(self.activation))

    @property
    def reduces(self) -> bool:
        """Whether the axis disappears."""
        return self.formula.reduces

    def parameters(self, dtype: str, setting: int) -> dict[str, float]:
        """A setting in the type that is computed in."""
        scalar = np.dtype(wide(dtype)).type
        return {name: float(scalar(float(value))) for name, value in self.settings[setting].items()}

    def samples(self, dtype: str, setting: int, lengths: Sequence[int]) -> Iterator[list[RowSample]]:
        """Rows of equal length, length by length."""
        for length in lengths if setting == 0 else (8,):
            found = [
                sample
                for sample in row_samples(dtype, (length,))
                if length < _BIG or (sample.name.endswith("random") and sample.name.startswith(_LONG))
            ]
            yield found

    def truth(self, dtype: str, setting: int, quantity: str, sample: RowSample) -> RowTruth | None:
        """What must come; None where the formula has no value."""
        key = dtype, setting, quantity, sample.name
        if key not in self._truths:
            oracle = RowOracle(self.formula, self.parameters(dtype, setting))
            try:
                self._truths[key] = truth_of(oracle, quantity, sample, self.reduces, _PLACES)
            except UndecidedError:
                self._truths[key] = None
        return self._truths[key]

    def describe(self, setting: int) -> str:
        """A setting as text; empty for the defaults."""
        values = self.settings[setting]
        return ", ".join(f"{n} = {float(v):g}" for n, v in values.items() if v != self.settings[0][n])


def measure_rows(
    framework: str,
    subject: RowSubject,
    function: Callable[..., Any],
    builtin: Native | None,
    mode: str,
    dtype: str,
    orders: Sequence[int],
) -> Entry:
    """Measure an axis-wise activation in one framework, mode and type.

    Args:
        framework: its name.
        subject: what is measured.
        function: the generated one, of rows on the last axis.
        builtin: the framework's own, or None.
        mode: eager or compiled.
        dtype: of the input.
        orders: 0 for the value, 1 for both products.

    Raises:
        SpecError: the built-in does not run.
    """
    runner = cast(RowFramework, import_module(f"actgen.verify.rows_on_{framework}"))
    quantities = [quantity for quantity, order in (("value", 0), ("jvp", 1), ("vjp", 1)) if order in orders]
    cells: dict[tuple[str, str], Cell] = {}
    try:
        is_costly = (framework, mode) == _COSTLY
        lengths = LENGTHS[mode][:1] if is_costly else LENGTHS[mode]
        for setting in range(1 if is_costly else len(subject.settings)):
            numbers = subject.parameters(dtype, setting) if setting else {}
            for samples in subject.samples(dtype, setting, lengths):
                length = len(samples[0].row)
                given = {**numbers, **({"group_size": length} if subject.activation.grouped else {})}
                for quantity in quantities:
                    ours = _errors(runner, subject, function, given, dtype, setting, samples, quantity, mode)
                    if ours is None:
                        continue
                    theirs = None
                    if builtin is not None and setting == 0:
                        theirs = _of_builtin(runner, subject, builtin, dtype, samples, quantity, mode)
                    cell = Cell(
                        _finding(*ours, subject.describe(setting)), None if theirs is None else _finding(*theirs, "")
                    )
                    key = NAMES[quantity], "sampled" if setting else ""
                    cells[key] = cells[key].worse(cell) if key in cells else cell
    except Failed as failure:
        return Entry.of_failure(failure.__cause__ or failure)
    return Entry(cells)


def _of_builtin(
    runner: RowFramework,
    subject: RowSubject,
    builtin: Native,
    dtype: str,
    samples: Sequence[RowSample],
    quantity: str,
    mode: str,
) -> tuple[RowErrors, int, int] | None:
    try:
        return _errors(runner, subject, builtin.function, {}, dtype, 0, samples, quantity, mode)
    except Failed as failure:
        cause = failure.__cause__
        raise builtin.complaint(mode, cause if isinstance(cause, Exception) else failure) from cause


def _errors(
    runner: RowFramework,
    subject: RowSubject,
    function: Callable[..., Any],
    given: Mapping[str, float],
    dtype: str,
    setting: int,
    samples: Sequence[RowSample],
    quantity: str,
    mode: str,
) -> tuple[RowErrors, int, int] | None:
    """The worst over rows of one length, how many numbers are NaN or infinite for no reason, how many undecided."""
    inputs = {"x": np.stack([sample.row for sample in samples])}
    if quantity == "jvp":
        inputs["tangent"] = np.stack([sample.tangent for sample in samples])
    if quantity == "vjp":
        whole = np.stack([sample.cotangent for sample in samples])
        inputs["cotangent"] = whole[:, :1] if subject.reduces else whole

    def called(x: Any) -> Any:
        return function(x, **given)

    try:
        results = runner.evaluate(called, dtype, inputs, quantity, mode)
    except Exception as error:  # whatever the function raises is what was found
        raise Failed from error
    if results is None:
        return None
    worst, spurious, undecided = NONE, 0, 0
    for sample, found in zip(samples, results.reshape(len(samples), -1), strict=True):
        truth = subject.truth(dtype, setting, quantity, sample)
        if truth is None:
            undecided += 1
            continue
        exact = np.array([float(value.mid()) for value in truth.values])
        spurious += int(np.count_nonzero(~np.isfinite(found) & np.isfinite(FORMATS[dtype].nearest(exact))))
        worst = worst.worse(row_errors(found, truth, dtype, sample))
    return worst, spurious, undecided


def _finding(errors: RowErrors, spurious: int, undecided: int, setting: str) -> Finding:
    where = ", ".join(part for part in (setting, f"row: {errors.where}" if errors.where else "") if part)
    return Finding(
        ulps=errors.ulps,
        ulps_at=errors.at,
        units=errors.units,
        units_at=errors.at if math.isfinite(errors.at) else 0.0,
        spurious=spurious,
        undecided=undecided,
        setting=where,
    )
