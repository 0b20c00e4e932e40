"""The lines of tables: of what was measured, for a terminal and for the page."""

from __future__ import annotations

import math

from actgen.numerics.contract import FORMATS
from actgen.verify.finding import Finding
from actgen.verify.record import Record, Row

TITLE = "largest errors in units of the accuracy contract; in brackets those of the framework's own function"
COLUMNS = (
    *("activation", "framework", "mode", "type", "quantity"),
    *("units", "where", "ulps", "where ", "spurious", "limits", ""),
)
NUMBERS = ("units", "where", "ulps", "where ", "spurious")


def rows(record: Record) -> list[tuple[str, ...]]:
    """A line for each quantity; what is the same as above is left out."""
    lines = []
    before: tuple[str, ...] = ()
    for row in record.rows:
        place = row.place
        names = (place.activation, place.framework, place.mode, place.dtype)
        shown = [name if names[: i + 1] != before[: i + 1] else "" for i, name in enumerate(names)]
        before = names
        at = row.cell.ours.setting or AT[row.setting]
        quantity = f"{row.quantity} ({at})" if at else row.quantity
        lines.append((*shown, quantity, *_numbers(row), "MISSED" if row.is_missed else "ok"))
    return lines


AT = {"": "", "sampled": "other parameters", "exhaustive": "all 2^32 numbers"}
"""Where a quantity was measured, by what the record calls it."""


def quantity_of(row: Row) -> str:
    """What was measured, and where if not at the default parameters."""
    return f"{row.quantity}, {AT[row.setting]}" if row.setting else row.quantity


def missed(record: Record) -> list[str]:
    """What misses the contract, a line each; then the traceback of each way in which code does not run."""
    found = [
        f"{place.activation} in {place.framework}, {place.mode}, {place.dtype}: does not run: {reason}"
        for place, reason in sorted(record.failures.items(), key=lambda item: item[0].rank)
    ]
    for row in record.rows:
        if row.is_missed:
            place, ours = row.place, row.cell.ours
            where = f"{place.activation} {row.quantity} in {place.framework}, {place.mode}, {place.dtype}"
            found.append(f"{where}: {complaint(ours, place.dtype)}")
    tracebacks = dict.fromkeys(one.entry.traceback for one in record.measured.values() if one.entry.traceback)
    return [*found, *(f"\n{traceback.rstrip()}" for traceback in tracebacks)]


def complaint(finding: Finding, dtype: str) -> str:
    """What is wrong, in words."""
    told = []
    if finding.units > FORMATS[dtype].allowed:
        told.append(f"{number(finding.units)} units at x = {finding.units_at!r}")
    if finding.spurious:
        told.append(f"NaN or infinity for {finding.spurious} numbers")
    if finding.wrong:
        told.append(f"wrong at {', '.join(finding.wrong)}")
    return ", ".join(told) + (f" with {finding.setting}" if finding.setting else "")


def number(value: float) -> str:
    """A measured error, to three digits."""
    if math.isnan(value) or math.isinf(value):
        return str(value)
    if value < 10_000:
        return f"{value:.2f}" if value < 100 else f"{value:.0f}"
    return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")


def _numbers(row: Row) -> tuple[str, ...]:
    """The errors and where they are, ours and in brackets the built-in's."""
    findings = [finding for finding in (row.cell.ours, row.cell.builtin) if finding is not None]

    def told(texts: list[str], nothing: str = "") -> str:
        if all(text == nothing for text in texts):
            return nothing
        return texts[0] if len(texts) == 1 else f"{texts[0]} ({texts[1]})"

    return (
        told([number(finding.units) for finding in findings]),
        told([f"{finding.units_at:.6g}" if finding.units else "-" for finding in findings], "-"),
        told([number(finding.ulps) for finding in findings]),
        told([f"{finding.ulps_at:.6g}" if finding.ulps else "-" for finding in findings], "-"),
        told([str(finding.spurious) for finding in findings], "0"),
        told([" ".join(f"not {end}" for end in finding.wrong) or "ok" for finding in findings], "ok"),
    )
