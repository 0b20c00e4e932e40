"""What `actgen verify` does: plan, measure what is not known yet, record, and write the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build import InputError, Manifest
from actgen.build.digest import digest
from actgen.build.progress import Progress
from actgen.build.workers import run_all
from actgen.verify import exhaustive
from actgen.verify.measuring import Task, run
from actgen.verify.page import PAGE, render
from actgen.verify.record import DTYPES, FRAMEWORKS, MODES, NAME, Measured, Place, Record
from actgen.verify.state import Store, key, state_folder, write_at_once

if TYPE_CHECKING:
    from actgen.build import Settings
    from actgen.spec import Activation

POINTS = 2**20

# What decides a framework's arithmetic; of the names of one thing, the first that is installed.
LIBRARIES = {
    "torch": (("torch",),),
    "keras": (("keras",), ("tensorflow", "tensorflow-cpu")),
    "jax": (("jax",), ("jaxlib",)),
}


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes:
        frameworks: of FRAMEWORKS.
        dtypes: of DTYPES.
        orders: of the derivatives by the input; derivatives by parameters come with order 1.
        modes: of MODES.
        points: how many floats of float32 and float64.
        is_exhaustive: whether to take all of float32 instead.
    """

    frameworks: tuple[str, ...] = FRAMEWORKS
    dtypes: tuple[str, ...] = DTYPES
    orders: tuple[int, ...] = (0, 1, 2)
    modes: tuple[str, ...] = MODES
    points: int = POINTS
    is_exhaustive: bool = False

    @classmethod
    def of(
        cls,
        frameworks: Sequence[str],
        modes: Sequence[str],
        dtypes: Sequence[str],
        orders: str | None,
        points: int | None,
        is_exhaustive: bool = False,
    ) -> Request:
        """A request in the words of the command line; what is not named is everything.

        Raises:
            InputError: the orders are not numbers from 0 to 2.
        """
        orders = orders if orders is not None else "0" if is_exhaustive else "0,1,2"
        found = {order.strip() for order in orders.split(",")}
        if is_exhaustive and tuple(dtypes) not in ((), ("float32",)):
            raise InputError("an exhaustive run takes all of float32, and no other type")
        if not found <= {"0", "1", "2"}:
            raise InputError(f"--order {orders}: write 0, 1 and 2 with commas between them, such as 0,1")

        def known(names: Sequence[str], every: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name for name in every if name in names) or every

        return cls(
            known(frameworks, FRAMEWORKS),
            known(dtypes, DTYPES),
            tuple(sorted(int(order) for order in found)),
            known(modes, MODES),
            points or POINTS,
            is_exhaustive,
        )


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
        InputError: a framework is not installed, or an activation is not built.
    """
    measure = _exhaust if request.is_exhaustive else _sample
    found: dict[Place, Measured] = {}
    for framework in request.frameworks:
        # One framework at a time: no process ever holds two.
        found |= measure(activations, settings, request, framework, jobs, progress)
    known = {path.stem for path in settings.specs.glob("*.toml")} | {a.name for a in activations}
    write(settings, Record.read(settings.out).updated(found, known))
    return Record(found)


def _sample(
    activations: Sequence[Activation],
    settings: Settings,
    request: Request,
    framework: str,
    jobs: int | None,
    progress: Progress,
) -> dict[Place, Measured]:
    store, versions = Store(state_folder()), _versions(framework)
    wanted = {
        Place(activation.name, framework, mode, dtype): _key(
            activation, settings, framework, versions, request, mode=mode, dtype=dtype, points=request.points
        )
        for activation in activations
        for mode in request.modes
        for dtype in request.dtypes
    }
    tasks = {}
    for activation in activations:
        mine = {(p.mode, p.dtype): k for p, k in wanted.items() if p.activation == activation.name}
        missing = {place: name for place, name in mine.items() if not store.holds(name)}
        if missing:
            tasks[f"{framework} {activation.name}"] = Task(
                framework,
                Path(activation.path).absolute(),
                _module(settings, framework, activation.name),
                missing,
                request.orders,
                request.points,
                store.folder,
            )
    if tasks:
        run_all(run, tasks, workers=jobs, progress=progress, apart=True)
    found = {}
    for place, name in wanted.items():
        entry = store.read(name)
        if entry is not None:
            found[place] = Measured(entry, _fingerprint(settings, place), versions, request.points)
    return found


def _exhaust(
    activations: Sequence[Activation],
    settings: Settings,
    request: Request,
    framework: str,
    jobs: int | None,
    progress: Progress,
) -> dict[Place, Measured]:
    store, versions = Store(state_folder()), _versions(framework)
    wanted: dict[Place, list[str]] = {}
    tasks = {}
    # Stretch by stretch, and in each all activations: those that are fast do not leave the last one alone at the end.
    for chunks in exhaustive.stretches():
        for activation in activations:
            for mode in request.modes:
                place = Place(activation.name, framework, mode, "float32")
                name = _key(activation, settings, framework, versions, request, mode=mode, chunks=[*chunks])
                wanted.setdefault(place, []).append(name)
                if not store.holds(name):
                    tasks[f"{framework} {mode} {activation.name} {chunks.start}"] = exhaustive.Stretch(
                        framework,
                        mode,
                        Path(activation.path).absolute(),
                        _module(settings, framework, activation.name),
                        request.orders,
                        chunks,
                        name,
                        store.folder,
                    )
    if tasks:
        run_all(exhaustive.run, tasks, workers=jobs, progress=progress, apart=True)
    found = {}
    for place, names in wanted.items():
        entries = [entry for entry in map(store.read, names) if entry is not None]
        found[place] = Measured(exhaustive.total(entries), _fingerprint(settings, place), versions, 0)
    return found


def write(settings: Settings, record: Record) -> None:
    """Write the record and the page made of it."""
    write_at_once(settings.out / NAME, record.dump())
    write_at_once(settings.out / PAGE, render(record, Manifest.read(settings.out)))


def stale(settings: Settings, activations: Sequence[Activation]) -> list[str]:
    """What the record lacks or has of other code, as lines of text."""
    record = Record.read(settings.out)
    lines = []
    for activation in activations:
        for framework in FRAMEWORKS:
            places = [p for p in record.measured if (p.activation, p.framework) == (activation.name, framework)]
            if not places:
                lines.append(f"{activation.name} in {framework}: not measured")
            elif any(record.measured[place].module != _fingerprint(settings, place) for place in places):
                lines.append(f"{activation.name} in {framework}: measured on other code")
    return lines


def _key(
    activation: Activation, settings: Settings, framework: str, versions: str, request: Request, **more: object
) -> str:
    """The key of a result: everything that it depends on."""
    module = digest(_module(settings, framework, activation.name).read_bytes())
    return key(
        activation=activation.name,
        spec=activation.digest,
        module=module,
        versions=versions,
        orders=request.orders,
        **more,
    )


def _fingerprint(settings: Settings, place: Place) -> str:
    """A short hash of the generated module."""
    return digest(_module(settings, place.framework, place.activation).read_bytes())[:16]


def _module(settings: Settings, framework: str, name: str) -> Path:
    path = settings.out / framework / f"{name}.py"
    if not path.is_file():
        raise InputError(f"{settings.display(path)}: there is no such file; run `actgen build`")
    return path


def _versions(framework: str) -> str:
    """Such as "keras 3.15.1, tensorflow 2.21.0"."""
    found = []
    for names in LIBRARIES[framework]:
        for name in names:
            try:
                found.append(f"{names[0]} {metadata.version(name)}")
                break
            except metadata.PackageNotFoundError:
                continue
        else:
            raise InputError(f"{names[0]} is not installed; `pip install actgen[{framework}]`")
    return ", ".join(found)
