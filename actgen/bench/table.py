"""What was measured, as rows for a terminal and for the page, and as means of the groups."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping

from actgen.bench.record import GROUPS, OTHERS, Measured, Record

TITLE = "Seconds a call, and ours as a multiple of the others'"
COLUMNS = ("activation", "way", "dtype", "numbers", "pass", "ours", "built-in", "naive", "copy", "bytes kept")
NUMBERS = ("numbers", "ours", "built-in", "naive", "copy", "bytes kept")

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def table(record: Record) -> list[tuple[str, ...]]:
    """A row for each place."""
    return [
        (
            place.activation,
            place.way,
            place.dtype,
            power(place.size),
            place.part,
            duration(one.seconds["ours"]),
            *(f"{one.ratios[other]:.2f}" if other in one.ratios else "" for other in OTHERS),
            kept(one),
        )
        for place, one in sorted(record.measured.items())
    ]


def means(measured: Iterable[Measured]) -> Mapping[str, tuple[float, float, int]]:
    """By group: the geometric mean of the ratios and the largest, of how many.

    To the built-in; where there is none, to the formula as typed.
    """
    found: dict[str, list[float]] = {}
    for one in measured:
        if (against := rival(one)) is not None:
            found.setdefault(one.group, []).append(one.ratios[against])
    return {
        group: (statistics.geometric_mean(found[group]), max(found[group]), len(found[group]))
        for group in GROUPS
        if group in found
    }


def rival(one: Measured) -> str | None:
    """Whom ours is held against: the built-in, else the formula as typed; None where there is neither."""
    return next((name for name in ("builtin", "naive") if name in one.ratios), None)


def power(size: int) -> str:
    """A size as a power of two."""
    return f"2^{size.bit_length() - 1}"


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    unit, name = next((row for row in _UNITS if seconds >= row[0]), _UNITS[-1])
    return f"{seconds / unit:.3g} {name}"


def kept(one: Measured) -> str:
    """Bytes a number of the input kept for the backward pass: ours, the built-in's, the naive formula's."""
    return " / ".join(f"{one.kept[name]:.3g}" for name in ("ours", "builtin", "naive") if name in one.kept)


def shown(found: Mapping[tuple[str, int, str], Mapping[str, Measured]]) -> tuple[str, int, str]:
    """The type, size and pass that tables and pictures show: float32, most activations, the largest size, training."""
    return max(found, key=lambda key: (key[0] == "float32", len(found[key]), key[1], key[2]))


def places(record: Record, way: str) -> Mapping[tuple[str, int, str], Mapping[str, Measured]]:
    """What was measured in one way: by type, size and pass, the activations by name."""
    found: dict[tuple[str, int, str], dict[str, Measured]] = {}
    for place, one in sorted(record.measured.items()):
        if place.way == way:
            found.setdefault((place.dtype, place.size, place.part), {})[place.activation] = one
    return found
