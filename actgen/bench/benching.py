"""What `actgen bench` does: measure one activation after the other, record, and write the page and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.bench import measuring
from actgen.bench.drawing import draw
from actgen.bench.page import PAGE, render
from actgen.bench.record import NAME, Measured, Place, Record
from actgen.bench.request import Request
from actgen.bench.ways import WAYS
from actgen.build import InputError
from actgen.build.progress import Progress
from actgen.build.workers import run_all
from actgen.verify.plan import module, versions
from actgen.verify.state import write_at_once

if TYPE_CHECKING:
    from actgen.build import Settings
    from actgen.spec import Activation


def bench(
    activations: Sequence[Activation], settings: Settings, request: Request, output: Path, *, progress: Progress
) -> Record:
    """Measure; write ``results.json``, ``README.md`` and a picture of each way; return what was asked for.

    One thing runs at a time: what runs beside it would slow it.

    Args:
        activations: to measure.
        settings: where the generated code is.
        request: what to measure of them.
        output: the folder of the record.
        progress: told of each activation in each way.

    Raises:
        InputError: a framework is not installed, an activation is not built, or the record is broken.
        SpecError: a spec names a built-in that does not exist.
    """
    record = Record.read(output)
    built = [name for name, way in WAYS.items() if way.target in settings.targets]
    ways = [WAYS[name] for name in request.ways or built]
    if not ways:
        raise InputError("[tool.actgen] targets: none of torch, keras, jax, whose code can be timed")
    on = {way.framework: versions(way.framework) for way in ways}
    tasks = {
        way.name: {
            f"{way.name} {activation.name}": measuring.Task(
                way.name,
                Path(activation.path).absolute(),
                module(settings, way.target, activation.name),
                request,
            )
            for activation in activations
        }
        for way in ways
    }
    found: dict[Place, Measured] = {}
    for some in tasks.values():
        # One way at a time: no process ever holds two frameworks. What is done is written, whatever comes next.
        for part in run_all(measuring.run, some, workers=1, progress=progress, apart=True):
            found |= part
        record = record.updated(found, on)
        write(record, output)
    return replace(record, measured=found)


def write(record: Record, output: Path) -> None:
    """Write the record, the page and the pictures made of it."""
    write_at_once(output / NAME, record.dump())
    pictures = draw(record, output)
    write_at_once(output / PAGE, render(record, pictures))
