"""The emitted package, written once from kernels made by hand."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from actgen.targets import Context, Entry
from actgen.targets.torch import target
from tests.targets import standins


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package `handmade.torch`, imported from a temporary folder."""
    folder = tmp_path_factory.mktemp("emitted")
    derivations = [make() for make in standins.ALL]
    files = {"__init__.py": ""}
    for derivation in derivations:
        files |= target.emit(cast(Any, derivation), Context())
    activations = [derivation.activation for derivation in derivations]
    entries = [Entry(a.name, a.class_name, a.aliases, a.summary) for a in activations]
    files |= target.emit_package(entries, Context())
    write(folder / "handmade", files)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("handmade.torch")
    sys.path.remove(str(folder))


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
