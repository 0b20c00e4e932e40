"""What holds for every test run: the frameworks are quiet, and Keras has a backend to run on.

It is set before anything imports TensorFlow or Keras; what the environment says already stays.
"""

from __future__ import annotations

import gc
import importlib.util
import os
from collections.abc import Generator
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if importlib.util.find_spec("triton"):
    # torch.compile loads it, and a process that has loaded TensorFlow dies of that; the other way round both work.
    importlib.import_module("triton")

LONG = (
    "tests/examples/test_examples.py",
    "tests/targets/test_arithmetic.py",
    "tests/targets/test_axiswise.py",
    "tests/targets/test_suite.py",
    "tests/targets/keras/test_module.py",
    "tests/targets/keras/test_printer.py",
    "tests/targets/keras/test_saving.py",
    "tests/numerics/test_random_formulas.py",
    "tests/generated/test_fused.py",
    "tests/verify/test_measuring.py",
    "tests/verify/test_verifying.py",
    "tests/bench/test_bench.py",
)
"""Files of few tests that take long each. They begin first, or one process would wait for them at the end."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and look for it less often after: what was collected is not gone through.

    Three frameworks and ten thousand tests are millions of objects that stay. To go through them again and again took a
    quarter of the time of collecting and a twentieth of that of running.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; within a file the order stays."""
    root = Path(__file__).parent
    places = {root / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))
