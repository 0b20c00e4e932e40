"""What misses the accuracy contract, in lines: targets that miss it alike share one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ALIKE = 2.0
"""By which factor errors may differ that are told as one, the largest."""


@dataclass(frozen=True)
class Miss:
    """A kernel that misses the contract on a target.

    Attributes:
        kernel: the activation and the quantity.
        target: its name.
        units: the error, in units of the contract.
        at: the input where it occurs.
        where: the row that holds that input, if it is one of a row.
    """

    kernel: str
    target: str
    units: float
    at: float
    where: str = ""


def miss_lines(misses: Iterable[Miss]) -> list[str]:
    """A line for each kernel, or for each size of error where targets are far apart: `mish d/dx (jax, torch): ...`."""
    kernels: dict[str, list[Miss]] = {}
    for miss in misses:
        kernels.setdefault(miss.kernel, []).append(miss)
    return [_line(alike) for found in kernels.values() for alike in _by_size(found)]


def _by_size(misses: list[Miss]) -> list[list[Miss]]:
    groups: list[list[Miss]] = []
    for miss in sorted(misses, key=lambda miss: -miss.units):
        if groups and groups[-1][0].units <= _ALIKE * miss.units:
            groups[-1].append(miss)
        else:
            groups.append([miss])
    return groups


def _line(alike: list[Miss]) -> str:
    worst = alike[0]
    row = f" ({worst.where})" if worst.where else ""
    targets = ", ".join(sorted(miss.target for miss in alike))
    return f"{worst.kernel} ({targets}): {worst.units:.3g} units at x = {worst.at!r}{row}"
