"""PReLU for all frameworks, and the same with its parameter in domains of every kind, from kernels made by hand."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sympy

from actgen.spec import Domain
from actgen.targets import Context, Entry, load_targets
from tests.targets import standins
from tests.trainable.frameworks import DOMAINS, FRAMEWORKS

Emitted = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that holds the package `trained`."""
    folder = tmp_path_factory.mktemp("trainable")
    write(folder / "trained")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def emitted(package: Path) -> Emitted:
    """The package of a framework, by its name."""
    return lambda framework: importlib.import_module(f"trained.{framework}")


def write(folder: Path) -> None:
    derivations: list[Any] = [standins.prelu()]
    for name, (domain, default, _) in DOMAINS.items():
        one = standins.prelu()
        (alpha,) = one.activation.parameters
        kept = replace(alpha, domain=Domain.parse(domain), default=sympy.Rational(str(default)))
        derivations.append(one.but(name=name.lower(), class_name=name, parameters=(kept,), aliases=()))
    entries = [Entry(a.name, a.class_name, a.aliases, a.summary) for a in (d.activation for d in derivations)]
    files = {"__init__.py": ""}
    for target in load_targets(FRAMEWORKS):
        files |= target.emit_package(entries, Context())
        for derivation in derivations:
            files |= target.emit(derivation, Context())
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
