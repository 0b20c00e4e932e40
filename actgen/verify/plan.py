"""What is to be run in one framework: the key of every result, and a task for what is not known yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build import BuildError, InputError
from actgen.build.digest import digest
from actgen.verify import exhaustive
from actgen.verify.exhaustive import Stretch
from actgen.verify.measuring import Sample
from actgen.verify.record import Entry, Measured, Place
from actgen.verify.request import Request
from actgen.verify.state import Store, key
from actgen.verify.support import supported

if TYPE_CHECKING:
    from actgen.build import Settings
    from actgen.spec import Activation

# What decides a framework's arithmetic; of the names of one thing, the first that is installed.
LIBRARIES = {
    "torch": (("torch",),),
    "keras": (("keras",), ("tensorflow", "tensorflow-cpu")),
    "jax": (("jax",), ("jaxlib",)),
}


@dataclass(frozen=True)
class Plan:
    """What is to be measured in one framework.

    Attributes:
        keys: of the results that together are what is found at a place.
        tasks: what is not known yet, by the name that progress is told.
        modules: the fingerprint of each activation's module.
        on: the framework and its version.
        points: how many floats of float32 and float64.
    """

    keys: Mapping[Place, Sequence[str]]
    tasks: Mapping[str, Sample | Stretch]
    modules: Mapping[str, str]
    on: str
    points: int

    def collect(self, store: Store) -> dict[Place, Measured]:
        """What was found, when all tasks are done."""
        found = {}
        for place, names in self.keys.items():
            entries = [entry for entry in map(store.read, names) if entry is not None]
            if len(entries) < len(names):
                raise BuildError(f"{store.folder}: results went while others were measured; run `actgen verify` again")
            entry = reduce(Entry.worse, entries)
            found[place] = Measured(entry, self.modules[place.activation], self.on, self.points)
        return found


def plan(activations: Sequence[Activation], settings: Settings, request: Request, framework: str, store: Store) -> Plan:
    """What a request comes to in one framework.

    Raises:
        InputError: the framework is not installed, or an activation is not built.
    """
    on = versions(framework)
    activations = list({activation.name: activation for activation in activations}.values())
    modules = {activation.name: module(settings, framework, activation.name) for activation in activations}
    code = {name: path.read_bytes() for name, path in modules.items()}
    gated = [activation.name for activation in activations if activation.kind == "gated"]
    if request.is_exhaustive and gated:
        raise InputError(f"{gated[0]}: of two inputs not all can be tried; leave out --exhaustive")
    rows = [activation.name for activation in activations if activation.kind == "axiswise"]
    if request.is_exhaustive and rows:
        raise InputError(f"{rows[0]}: of rows not all can be tried; leave out --exhaustive")
    keys: dict[Place, list[str]] = {}
    tasks: dict[str, Sample | Stretch] = {}
    modes = [mode for mode in request.modes if supported(request.orders, framework, mode)]
    # Stretch by stretch, and in each all activations: those that are fast do not leave the last one alone at the end.
    for chunks in exhaustive.stretches() if request.is_exhaustive else (None,):
        for activation in activations:
            known = {
                "activation": activation.name,
                "spec": activation.digest,
                "module": digest(code[activation.name]),
                "versions": on,
                "orders": request.orders,
            }
            missing = {}
            for mode in modes:
                for dtype in request.dtypes:
                    extent = {"chunks": [*chunks]} if chunks else {"dtype": dtype, "points": request.points}
                    name = key(**known, mode=mode, **extent)
                    keys.setdefault(Place(activation.name, framework, mode, dtype), []).append(name)
                    if not store.holds(name):
                        missing[mode, dtype] = name
            if missing:
                spec = Path(activation.path).absolute()
                shared = framework, spec, modules[activation.name], missing, request.orders, store.folder
                if chunks is None:
                    tasks[f"{framework} {activation.name}"] = Sample(*shared, request.points)
                else:
                    tasks[f"{framework} {activation.name} {chunks.start}"] = Stretch(*shared, chunks)
    return Plan(keys, tasks, {name: fingerprint(text) for name, text in code.items()}, on, request.points)


def module(settings: Settings, framework: str, name: str) -> Path:
    """The generated module of an activation.

    Raises:
        InputError: there is none.
    """
    path = settings.out / framework / f"{name}.py"
    if not path.is_file():
        remedy = "" if framework in settings.targets else f'add "{framework}" to the targets in pyproject.toml and '
        raise InputError(f"{settings.display(path)}: there is no such file; {remedy}run `actgen build`")
    return path


def fingerprint(code: bytes) -> str:
    """A short hash of a generated module's text."""
    return digest(code)[:16]


def versions(framework: str) -> str:
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
