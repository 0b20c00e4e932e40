"""The emitted package, written once from kernels made by hand."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from actgen.targets import Context, Entry
from actgen.targets.keras import target
from tests.targets import standins


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package `handmade_keras.keras`, imported from a temporary folder."""
    folder = tmp_path_factory.mktemp("emitted")
    write(folder / "handmade_keras")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("handmade_keras.keras")
    sys.path.remove(str(folder))


def write(folder: Path) -> None:
    derivations: list[Any] = [make() for make in standins.ALL]
    entries = [Entry(a.name, a.class_name, a.aliases, a.summary) for a in (d.activation for d in derivations)]
    files = {"__init__.py": ""} | target.emit_package(entries, Context())
    for derivation in derivations:
        files |= target.emit(derivation, Context())
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
