"""``ACCURACY.md``: what was measured, for people. What misses the contract comes before what keeps it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from actgen.build import Manifest
from actgen.numerics.contract import FORMATS
from actgen.verify.finding import Finding
from actgen.verify.reasons import LEGEND, reason
from actgen.verify.record import DTYPES, FRAMEWORKS, MODES, Record, Row
from actgen.verify.table import complaint, number, quantity_of

PAGE = "ACCURACY.md"

_HEAD = """\
# How accurate the generated code is

The modules in this folder were run in the frameworks and held against exact values, computed with proved error bounds.
`actgen verify` does it again, on your machine; [accuracy.json](accuracy.json) has every figure.

The unit is that of the accuracy contract,

    |y - f(x)| <= N (ulp(f(x)) + u |x f'(x)|)        u: half the spacing of floats at 1

with N = 4 for float64 and float32, and N = 1 for bfloat16 and float16 (a correctly rounded result is off by at most
half a unit). Next to numbers that processors flush to zero, an error up to the smallest normal number is free.
"""

_SAMPLE = """\
All 65,536 values of bfloat16 and float16; of float32 and float64 about {points} numbers, some of every binade, with
zeros, subnormal numbers, the largest and smallest normal ones, infinities, NaN, and three floats on either side of each
kink. {modes}, at the default parameters; and with the parameters at other values, at fewer points.
"""

_COMPILED = "compiled (`torch.compile`, `jax.jit`, `tf.function(jit_compile=True)`)"

_EXHAUSTIVE = """\
Where all 2^32 numbers are named, these are the numbers of float32, at the default parameters.
"""

_LEFT_OUT = """\
Not measured, since it does not exist: second derivatives of what `torch.compile` has compiled (PyTorch raises
"torch.compile with aot_autograd does not currently support double backward"), and derivatives by hyperparameters in
Keras, which are Python numbers there.
"""


def render(record: Record, manifest: Manifest, margins: Mapping[str, float]) -> str:
    """The page.

    Args:
        record: everything that was measured.
        manifest: of the build, which knows what each kernel is worth in emulated arithmetic.
        margins: the units within which the build looked for a form, by framework.
    """
    rows = list(record.rows)
    parts = [_HEAD, "## Summary\n", _summary(record, rows), _LEFT_OUT, "## What misses the contract\n"]
    exceptions = [_exception(row, reason(row, rows, manifest, margins)) for row in rows if row.is_missed]
    failures = [
        (f"`{place.activation}`", "", place.framework, place.mode, place.dtype, "does not run", error)
        for place, error in sorted(record.failures.items(), key=lambda item: item[0].rank)
    ]
    found = [*failures, *exceptions]
    heading = ("activation", "quantity", "framework", "mode", "type", "what", "reason")
    parts += [LEGEND, _table(heading, found)] if found else ["Nothing.\n"]
    parts += ["## Where the framework's own function is closer\n", _closer(rows)]
    for framework in FRAMEWORKS:
        here = [row for row in rows if row.place.framework == framework]
        if here:
            parts.append(f"## {_TITLES[framework]}\n")
            parts.append(
                "Largest error in units, eager or compiled, whichever is worse; after the stroke that of the "
                "framework's own function. Bold: misses the contract.\n"
            )
            parts.append(_framework(here))
    return "\n".join(parts)


_TITLES = {"torch": "PyTorch", "keras": "Keras on TensorFlow", "jax": "JAX"}


def _summary(record: Record, rows: Sequence[Row]) -> str:
    """What was run and the worst of it."""
    activations = {place.activation for place in record.measured}
    versions = sorted({one.on for one in record.measured.values()}, key=str.lower)
    # An exhaustive run has no sample.
    points = sorted({one.points for one in record.measured.values() if one.points})
    lines = [
        f"{len(activations)} activation{'s' * (len(activations) != 1)}, on {'; '.join(versions)}.\n",
        *([_SAMPLE.format(points=_range(points), modes=_modes(record))] if points else []),
        *([_EXHAUSTIVE] if any(row.setting == "exhaustive" for row in rows) else []),
    ]
    table = []
    for dtype in DTYPES:
        here = [row for row in rows if row.place.dtype == dtype]
        if not here:
            continue
        others = [row.cell.builtin for row in here if row.cell.builtin is not None]
        bad = sum(not other.keeps(FORMATS[dtype]) for other in others)
        table.append(
            (
                dtype,
                f"{len(here):,}",
                f"{sum(row.is_missed for row in here):,}",
                _worst(row.cell.ours for row in here),
                f"{bad:,} of {len(others):,}",
                _worst(others),
            )
        )
    heading = ("type", "measurements", "missed", "worst, in units", "built-ins that miss", "worst of theirs")
    return "\n".join([*lines, _table(heading, table), _undecided(rows)])


def _range(numbers: Sequence[int]) -> str:
    """From the least to the most."""
    return " to ".join(f"{number:,}" for number in dict.fromkeys((numbers[0], numbers[-1])))


def _modes(record: Record) -> str:
    """In which modes the activations were run."""
    run = {mode: {place.activation for place in record.measured if place.mode == mode} for mode in MODES}
    eager, compiled = run["eager"], run["compiled"]
    if eager == compiled:
        return f"Each in eager mode and {_COMPILED}"
    parts = [f"{len(eager)} in eager mode"] * bool(eager) + [f"{len(compiled)} {_COMPILED}"] * bool(compiled)
    return ", ".join(parts)


def _undecided(rows: Sequence[Row]) -> str:
    """Of which numbers the results could not be judged."""
    found: dict[str, int] = {}
    for row in rows:
        if row.cell.ours.undecided:
            name = f"`{row.place.activation}` {row.quantity}"
            found[name] = max(found.get(name, 0), row.cell.ours.undecided)
    if not found:
        return "The exact value is known at every number.\n"
    told = ", ".join(f"{name} ({count:,})" for name, count in found.items())
    return f"At so many numbers no exact value is known, and what the code gives there is not judged: {told}.\n"


def _exception(row: Row, why: str) -> tuple[str, ...]:
    place = row.place
    return (
        f"`{place.activation}`",
        quantity_of(row),
        place.framework,
        place.mode,
        place.dtype,
        complaint(row.cell.ours, place.dtype),
        why,
    )


def _closer(rows: Sequence[Row]) -> str:
    """Where a built-in's largest error is smaller than ours."""
    found = [row for row in rows if row.cell.builtin is not None and row.cell.builtin.units < row.cell.ours.units]
    compared = sum(row.cell.builtin is not None for row in rows)
    told = f"In {len(found):,} of {compared:,} comparisons the largest error of the built-in is smaller than ours"
    outside = [row for row in found if row.is_missed]
    if not found:
        return f"{told}.\n"
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row.place.activation, row.quantity, row.place.framework), []).append(row)
    table = []
    for (activation, quantity, framework), members in groups.items():
        worst = max(members, key=lambda row: row.cell.ours.units)
        assert worst.cell.builtin is not None
        types = dict.fromkeys(row.place.dtype for row in members)
        pair = f"{number(worst.cell.ours.units)} / {number(worst.cell.builtin.units)}"
        table.append((f"`{activation}`", quantity, framework, ", ".join(types), pair))
    told += f", in {len(outside):,} of them outside the contract. The worst of each:\n\n"
    return told + _table(("activation", "quantity", "framework", "types", "ours / built-in"), table)


def _framework(rows: Sequence[Row]) -> str:
    """A line for each activation and quantity, a column for each type."""
    dtypes = [dtype for dtype in DTYPES if any(row.place.dtype == dtype for row in rows)]
    lines: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in rows:
        lines.setdefault((row.place.activation, quantity_of(row)), {}).setdefault(row.place.dtype, []).append(row)
    table, before = [], ""
    for (activation, name), cells in lines.items():
        table.append(
            (
                f"`{activation}`" if activation != before else "",
                name,
                *(_cell(cells[dtype]) if dtype in cells else "" for dtype in dtypes),
            )
        )
        before = activation
    return _table(("activation", "quantity", *dtypes), table)


def _cell(rows: Sequence[Row]) -> str:
    ours = _worst(row.cell.ours for row in rows)
    others = [row.cell.builtin for row in rows if row.cell.builtin is not None]
    ours = f"**{ours}**" if any(row.is_missed for row in rows) else ours
    return f"{ours} / {_worst(others)}" if others else ours


def _worst(findings: Iterable[Finding]) -> str:
    return number(max((finding.units for finding in findings), default=math.nan))


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(heading)} |"
        yield "|" + "---|" * len(heading)
        for row in rows:
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"

    return "\n".join(lines()) + "\n"
