"""What `actgen verify` does: plan, measure what is not known yet, record, and write the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from actgen.build import InputError, Manifest
from actgen.build.progress import Progress
from actgen.build.workers import run_all
from actgen.numerics.cache import forget_values
from actgen.targets import load_targets
from actgen.verify import exhaustive, measuring
from actgen.verify.page import PAGE, render
from actgen.verify.plan import fingerprint, module, plan
from actgen.verify.record import FRAMEWORKS, NAME, Measured, Place, Record
from actgen.verify.request import Request
from actgen.verify.state import Store, state_folder, write_at_once
from actgen.verify.support import lacking, supported

if TYPE_CHECKING:
    from actgen.build import Settings
    from actgen.spec import Activation


def verify(
    activations: Sequence[Activation],
    settings: Settings,
    request: Request,
    *,
    jobs: int | None,
    progress: Progress,
) -> Record:
    """Measure, write ``accuracy.json`` and ``ACCURACY.md``, and return what was asked for.

    Args:
        activations: to measure.
        settings: where the generated code is.
        request: what to measure of them.
        jobs: how many processes.
        progress: told of each activation in each framework.

    Raises:
        InputError: a framework is not installed, an activation is not built, the record or the manifest is broken, or
            nothing of what was asked for exists.
    """
    store = Store(state_folder())
    # All that can be wrong before anything is run: it is told at once, not after hours of work.
    Record.read(settings.out)
    Manifest.read(settings.out)
    frameworks = _frameworks(settings, request)
    if not any(supported(request.orders, framework, mode) for framework in frameworks for mode in request.modes):
        reasons = "; ".join(left_out(settings, request))
        raise InputError(f"nothing to measure: {reasons}; take another --order, --mode or --framework")
    plans = [plan(activations, settings, request, framework, store) for framework in frameworks]
    run: Callable[[Any], None] = exhaustive.run if request.is_exhaustive else measuring.run
    found: dict[Place, Measured] = {}
    for part in plans:
        # One framework at a time: no process ever holds two.
        if part.tasks:
            run_all(run, part.tasks, workers=jobs, progress=progress, apart=True)
        found |= part.collect(store)
    forget_values()
    known = {path.stem for path in settings.specs.glob("*.toml")} | {a.name for a in activations}
    write(settings, Record.read(settings.out).updated(found, known))
    return Record(found)


def write(settings: Settings, record: Record) -> None:
    """Write the record and the page made of it."""
    write_at_once(settings.out / NAME, record.dump())
    margins = {target.name: target.arithmetic.margin for target in load_targets(FRAMEWORKS)}
    write_at_once(settings.out / PAGE, render(record, Manifest.read(settings.out), margins))


def left_out(settings: Settings, request: Request) -> list[str]:
    """What was asked for and does not exist, a line each."""
    return lacking(request.orders, _frameworks(settings, request), request.modes)


def stale(settings: Settings, activations: Sequence[Activation]) -> list[str]:
    """What the record lacks or has of other code, as lines of text."""
    record = Record.read(settings.out)
    lines = []
    for activation in activations:
        for framework in _built_for(settings):
            here = activation.name, framework
            measured = {one.module for p, one in record.measured.items() if (p.activation, p.framework) == here}
            if not measured:
                lines.append(f"{activation.name} in {framework}: not measured")
            elif measured != {fingerprint(module(settings, framework, activation.name).read_bytes())}:
                lines.append(f"{activation.name} in {framework}: measured on other code")
    return lines


def _frameworks(settings: Settings, request: Request) -> tuple[str, ...]:
    return request.frameworks or _built_for(settings)


def _built_for(settings: Settings) -> tuple[str, ...]:
    """Those of our frameworks that the project is built for."""
    found = tuple(framework for framework in FRAMEWORKS if framework in settings.targets)
    if not found:
        raise InputError(f"[tool.actgen] targets: none of {', '.join(FRAMEWORKS)}, in which code can be measured")
    return found
