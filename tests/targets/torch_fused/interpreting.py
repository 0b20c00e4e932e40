"""Triton's interpreter, which runs kernels on a CPU, and what it lacks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

if importlib.util.find_spec("triton") is None:
    pytest.skip("there is no Triton but for Linux on x86-64", allow_module_level=True)
triton: Any = importlib.import_module("triton")  # conftest.py has loaded it: it cannot be after TensorFlow
tl: Any = importlib.import_module("triton.language")


class Library:
    """The functions of a GPU's library, by those of PyTorch on what the interpreter computes with."""

    def __getattr__(self, name: str) -> Any:
        def apply(*operands: Any) -> Any:
            found = getattr(torch, name)(*(torch.from_numpy(operand.handle.data) for operand in operands))
            first = operands[0]
            return tl.core.tensor(type(first.handle)(found.numpy(), first.handle.dtype), first.type)

        return apply


def forget(package: str) -> None:
    """Have the modules of a package imported again."""
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]


@contextmanager
def interpreted(package: str, as_in_torch: Iterable[str] = ()) -> Iterator[None]:
    """Kernels of a package that are imported here are interpreted, not compiled.

    Args:
        package: its name.
        as_in_torch: functions of its arithmetic to be replaced by those of PyTorch, which round otherwise.
    """
    forget(package)
    before = triton.knobs.runtime.interpret
    triton.knobs.runtime.interpret = True
    try:
        arithmetic: Any = importlib.import_module(f"{package}._arithmetic")
        arithmetic.libdevice = Library()
        for name in as_in_torch:
            setattr(arithmetic, name, getattr(arithmetic.libdevice, name))
        yield
    finally:
        triton.knobs.runtime.interpret = before
        forget(package)
