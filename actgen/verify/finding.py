"""What was found of one function: how far it is off, and where; NaN and infinities where there must be none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actgen.numerics import contract
from actgen.numerics.contract import Format
from actgen.numerics.oracle import Exact, Floats


@dataclass(frozen=True)
class Finding:
    """The worst of one quantity over all points.

    Attributes:
        ulps: the largest error in ULP of the exact result, infinite where NaN or an infinity stands for a number.
        ulps_at: the input where it occurs.
        units: the largest error in units of the contract.
        units_at: the input where it occurs.
        spurious: at how many finite inputs with a finite exact value the result is NaN or an infinity.
        wrong: which of "-inf", "inf" and "nan" do not give what they must.
        undecided: at how many inputs the exact value is not known.
        setting: parameters at which the worst was found, as text; empty for the defaults.
    """

    ulps: float
    ulps_at: float
    units: float
    units_at: float
    spurious: int = 0
    wrong: tuple[str, ...] = ()
    undecided: int = 0
    setting: str = ""

    def keeps(self, form: Format) -> bool:
        """Whether the contract holds."""
        return self.units <= form.allowed and not self.spurious and not self.wrong

    def worse(self, other: Finding) -> Finding:
        """Both in one: the worse errors, all that is spurious."""
        units = max(self, other, key=lambda finding: finding.units)
        ulps = max(self, other, key=lambda finding: finding.ulps)
        return replace(
            units,
            ulps=ulps.ulps,
            ulps_at=ulps.ulps_at,
            spurious=self.spurious + other.spurious,
            wrong=tuple(sorted({*self.wrong, *other.wrong})),
            undecided=self.undecided + other.undecided,
        )


def find(
    points: Floats,
    results: NDArray[np.floating],
    exact: Exact,
    slope: Callable[[Floats], Floats],
    form: Format,
    *,
    slack: float = 1.0,
    asks_nan: bool = True,
    setting: str = "",
) -> Finding:
    """Measure the results of one quantity.

    Args:
        points: the inputs; infinities and NaN among them are judged apart.
        results: the outputs.
        exact: the exact values at the points.
        slope: gives |f'| at some points.
        form: the type of the results.
        slack: the absolute error that is free near underflow, in smallest normal numbers.
        asks_nan: whether NaN must give NaN.
        setting: the parameters, as text.
    """
    finite = np.isfinite(points)
    errors = _errors(finite, points, results, exact, slope, slack, form)
    is_number = np.isfinite(form.nearest(exact.high)) & finite
    spurious = int(np.count_nonzero(is_number & ~np.isfinite(results) & exact.decided))
    # An overflow that half an ULP of the input explains is none.
    spurious = spurious if math.isinf(errors.worst) else 0
    wrong = []
    for name, here in (("-inf", np.isneginf(points)), ("inf", np.isposinf(points)), ("nan", np.isnan(points))):
        if name == "nan" and not asks_nan:
            continue
        if _errors(here, points, results, exact, slope, slack, form).worst > form.allowed:
            wrong.append(name)
    place = int(errors.ulps.argmax()) if len(errors.ulps) else -1
    return Finding(
        ulps=errors.worst_ulps,
        ulps_at=float(errors.points[place]) if place >= 0 else math.nan,
        units=errors.worst,
        units_at=errors.worst_at,
        spurious=spurious,
        wrong=tuple(wrong),
        undecided=int(np.count_nonzero(~exact.decided & finite)),
        setting=setting,
    )


def _errors(
    here: NDArray[np.bool_],
    points: Floats,
    results: NDArray[np.floating],
    exact: Exact,
    slope: Callable[[Floats], Floats],
    slack: float,
    form: Format,
) -> contract.Errors:
    part = Exact(exact.high[here], exact.low[here], exact.decided[here])
    return contract.errors(points[here], results[here], part, slope, slack, form)
