"""All 2^32 numbers of float32, one stretch of them at a time; each is recorded, so that hours of work are never lost.

A stretch holds 2**27 numbers in the order of their bits, and is done in chunks of 2**22. Most errors are told from the
worst so far by a subtraction and a division; only the few that are larger are measured exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.contract import FORMATS
from actgen.numerics.oracle import Exact, Floats
from actgen.symbolic import Order
from actgen.verify.batch import Batch, Framework, Results
from actgen.verify.builtin import Native, find_native, run_native
from actgen.verify.finding import Finding, find
from actgen.verify.measuring import Task, find_ours, run_ours, start
from actgen.verify.record import Cell, Entry, dump_cells, parse_cells, quantity_name
from actgen.verify.state import Store
from actgen.verify.subject import Subject
from actgen.verify.support import supported
from actgen.verify.truth import Truth

CHUNKS = 1024
CHUNK = 2**32 // CHUNKS
STRETCHES = 32

_HUGE = 1e30  # infinities are counted even if one is known

Cells = Mapping[tuple[str, str], Cell]


@dataclass(frozen=True)
class Stretch(Task):
    """A part of the numbers.

    Attributes:
        chunks: which of the CHUNKS.
    """

    chunks: range


def stretches() -> Iterator[range]:
    """All chunks, in parts that are shared among processes."""
    size = CHUNKS // STRETCHES
    yield from (range(first, first + size) for first in range(0, CHUNKS, size))


def run(stretch: Stretch) -> None:
    """Measure and record, going on where an earlier run stopped."""
    framework = start(stretch.framework)
    subject = Subject(stretch.spec, 0)
    store = Store(stretch.state)
    ours = find_ours(stretch, subject.activation.name, store)
    if ours is None:
        return
    theirs = find_native(subject.activation, stretch.framework, stretch.spec)
    for (mode, _), key in stretch.keys.items():
        framework.prepare()
        log = _Log(stretch.state / f"{key}.chunks")
        entry = _go_on(stretch, framework, subject, (ours, theirs), mode, log)
        store.write(key, entry)
        if not entry.failure:
            log.path.unlink()


def _go_on(
    stretch: Stretch,
    framework: Framework,
    subject: Subject,
    functions: tuple[Callable[..., Any], Native | None],
    mode: str,
    log: _Log,
) -> Entry:
    """Measure the chunks that the log does not have."""
    ours, theirs = functions
    orders = subject.by_input(supported(stretch.orders, stretch.framework, mode))
    truths = {order: subject.truth(order, "float32", 0, CHUNK) for order in orders}
    done = log.read()
    total = reduce(Entry.worse, map(Entry, done.values()), Entry({}))
    for chunk in stretch.chunks:
        if chunk in done:
            continue
        batch = Batch("float32", _numbers(chunk), subject.variable, orders, {}, {})
        results = run_ours(framework, ours, [batch], mode)
        if isinstance(results, Entry):
            return results
        results += run_native(framework, theirs, [batch], mode)
        cells = _measure(subject, truths, batch.points, results, total.cells)
        log.append(chunk, cells)
        total = total.worse(Entry(cells))
    return total


def _numbers(chunk: int) -> Floats:
    """The numbers of a chunk; and zero, for a subnormal number may be taken for it."""
    numbers = np.arange(CHUNK, dtype=np.uint32) + np.uint32(chunk * CHUNK)
    with np.errstate(invalid="ignore"):
        return np.append(numbers.view(np.float32).astype(np.float64), 0.0)


def _measure(
    subject: Subject, truths: Mapping[Order, Truth], points: Floats, results: Sequence[Results], known: Cells
) -> Cells:
    """What there is in one chunk that is worse than what is known.

    Args:
        subject: the activation.
        truths: the exact values of each quantity.
        points: the numbers of the chunk.
        results: ours, and the built-in's as far as it has any.
        known: the worst of the chunks before.
    """
    ours, theirs = results
    cells = {}
    for order, truth in truths.items():
        key = quantity_name(order, subject.variable), "exhaustive"
        worst = known.get(key)
        judge = partial(_find, points, truth(points), truth.slope, subject.reads_input(order))
        cells[key] = Cell(
            judge(ours[order], worst.ours if worst else None),
            judge(theirs[order], worst.builtin if worst else None) if order in theirs else None,
        )
    return cells


def _find(
    points: Floats,
    exact: Exact,
    slope: Callable[[Floats], Floats],
    asks_nan: bool,
    results: NDArray[np.floating],
    worst: Finding | None,
) -> Finding:
    """Measure exactly what may be worse than the worst so far; the rest is not."""
    form = FORMATS["float32"]
    known = 0.0 if worst is None else min(worst.units, _HUGE)
    with np.errstate(all="ignore"):
        bits = exact.high.astype(np.float32).view(np.uint32) & np.uint32(0x7F800000)
        spacing = np.ldexp(np.maximum(bits, np.uint32(0x00800000)).view(np.float32), 1 - form.digits)
        ulps = np.abs(results - exact.high) / spacing
        # A millionth more than what is known is no news; NaN always is.
        here = np.flatnonzero(~(ulps <= known * (1 + 1e-6)) | (points == 0))
    part = Exact(exact.high[here], exact.low[here], exact.decided[here])
    return find(points[here], results[here], part, slope, form, asks_nan=asks_nan)


class _Log:
    """What is known of each chunk, a line each; a line that was not finished does not count."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[int, Cells]:
        if not self.path.is_file():
            return {}
        lines = self.path.read_text(encoding="utf-8").split("\n")
        found: dict[int, Cells] = {}
        for line in lines[:-1]:
            try:
                content = json.loads(line)
            except ValueError:
                continue
            found[content["chunk"]] = parse_cells(content["quantities"])
        return found

    def append(self, chunk: int, cells: Cells) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f'\n{{"chunk": {chunk}, "quantities": {dump_cells(cells)}}}\n')
