"""The generated tests pass on what is emitted, and fail when the printer or the values are wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actgen.numerics import Derivation, ReferenceTable, derive, reference_table
from actgen.spec import load_spec
from actgen.targets import Context, Entry
from actgen.targets.suite import emit_neighbours, emit_test
from actgen.targets.torch import printer, target
from tests.targets.standins import load

# Plugins of others' packages take a second to import, and do nothing here.
ENVIRONMENT = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture(scope="module")
def derived() -> tuple[Derivation, ReferenceTable]:
    derivation = derive(load("swish"))
    return derivation, reference_table(derivation, "float32")


def emit(folder: Path, derivation: Derivation, table: ReferenceTable, package: str = "activations") -> None:
    context, activation = Context(targets=("torch",)), derivation.activation
    entry = Entry(activation.name, activation.class_name, activation.aliases, activation.summary)
    files = emit_neighbours([target], context) | emit_test({target.name: derivation}, table, [target], context)
    files |= target.emit(derivation, context) | target.emit_package([entry], context)
    for path, text in files.items():
        place = folder / package / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def run(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *options], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_they_pass_on_what_is_emitted_and_import_nothing_of_ours(
    tmp_path: Path, derived: tuple[Derivation, ReferenceTable]
) -> None:
    emit(tmp_path, *derived)
    assert not any("actgen" in path.read_text() for path in tmp_path.rglob("*.py"))
    code, output = run(tmp_path)
    assert code == 0, output


def test_a_wrong_row_of_the_printer_makes_one_fail(
    tmp_path: Path, derived: tuple[Derivation, ReferenceTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All packages are tested in one process: it takes longer to import PyTorch than to test one."""
    wrong = {"exp": "expm1_", "multiply": "add_", "divide": printer.FORMS["multiply"]}
    for operation, row in wrong.items():
        with monkeypatch.context() as patch:
            if operation == "divide":
                patch.delitem(printer.IN_PLACE, "divide")
            patch.setitem(printer.FORMS if operation == "divide" else printer.IN_PLACE, operation, row)
            emit(tmp_path, *derived, package=f"wrong_{operation}")
    emit(tmp_path, *derived, package="right")
    code, output = run(tmp_path, "-k", "contract", "--tb=no")
    assert code == 1, output
    failed = {line.split()[1].partition("/")[0] for line in output.splitlines() if line.startswith("FAILED ")}
    assert failed == {f"wrong_{operation}" for operation in wrong}, output


def test_a_missing_framework_is_skipped_with_its_name(
    tmp_path: Path, derived: tuple[Derivation, ReferenceTable]
) -> None:
    emit(tmp_path, *derived)
    contract = tmp_path / "activations" / "tests" / "contract.py"
    contract.write_text(contract.read_text().replace("find_spec(framework)", 'find_spec("no_such_framework")'))
    code, output = run(tmp_path, "-rs", "-k", "contract")
    assert code == 0
    assert "torch is not installed" in output


def test_by_default_the_machinery_is_tried_for_those_that_stand_for_all(tmp_path: Path) -> None:
    """A representative that covers nothing of its own, or is large, and a trait that nobody covers would show."""
    everything = emit_neighbours([target], Context(targets=("torch",)))
    tests = tmp_path / "suite"
    for path in ("tests/__init__.py", "tests/conftest.py"):
        place = tests / path.removeprefix("tests/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(everything[path], encoding="utf-8")
    built_of = {"whole": ("exp", "number", "tanh"), "part": ("exp", "number"), "other": ("erf", "number")}
    built_of["large"] = ("erf", "exp", "number", "tanh")  # it alone would do, but takes longer than two others
    for name, traits in built_of.items():
        lines = [
            "import pytest",
            f"NAME, TRAITS, SIZE = {name!r}, {traits!r}, {1000 if name == 'large' else 10}",
            "def test_values(): pass",
            "@pytest.mark.machinery",
            "def test_machinery(): pass",
        ]
        (tests / f"test_{name}.py").write_text("\n".join(lines), encoding="utf-8")

    def ran(*arguments: str) -> set[str]:
        command = [sys.executable, "-m", "pytest", "-v", "--strict-markers", "-p", "no:cacheprovider"]
        done = subprocess.run([*command, *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return {line.split()[0].removeprefix("suite/test_") for line in done.stdout.splitlines() if "PASSED" in line}

    values = {f"{name}.py::test_values" for name in built_of}
    assert ran("suite") == values | {"whole.py::test_machinery", "other.py::test_machinery"}
    assert ran("suite", "--thorough") == values | {f"{name}.py::test_machinery" for name in built_of}
    assert ran("suite/test_part.py") == {"part.py::test_values", "part.py::test_machinery"}
    assert ran("suite", "-k", "part") == {"part.py::test_values", "part.py::test_machinery"}
    shutil.copytree(tests, tmp_path / "another")
    assert ran("suite", "another", "--import-mode=importlib") >= values


def test_triton_is_loaded_before_any_test(tmp_path: Path) -> None:
    """A process that has loaded TensorFlow dies of loading it, which torch.compile does wherever it is installed."""
    everything = emit_neighbours([target], Context(targets=("torch",)))
    (tmp_path / "conftest.py").write_text(everything["tests/conftest.py"], encoding="utf-8")
    (tmp_path / "triton.py").write_text("", encoding="utf-8")
    (tmp_path / "test_order.py").write_text(
        "import sys\nassert 'triton' in sys.modules\ndef test_nothing(): pass\n", encoding="utf-8"
    )
    code, output = run(tmp_path)
    assert code == 0, output


SPIKE = """
title = "Spike"
summary = "1 above a threshold that is learned."
expression = "Heaviside(x - theta)"
folklore = true
[parameters.width]
default = 0.5
description = "How far from the threshold it is learned by."
domain = "positive"
[parameters.theta]
default = 1.0
description = "The threshold."
trainable = true
[surrogate]
derivative = "width / (width**2 + (x - theta)**2)"
"""

LEARN = """
import torch
from activations.torch import Spike

spike = Spike()
optimizer = torch.optim.SGD(spike.parameters(), 0.1)
for _ in range(20):
    optimizer.zero_grad()
    (1 - spike(torch.tensor([0.5, 0.7]))).sum().backward()
    optimizer.step()
assert spike.theta.item() < 0.5, spike.theta
"""


def test_a_threshold_is_learned_by_its_surrogate_and_what_shapes_that_is_differentiated_by_last(tmp_path: Path) -> None:
    path = tmp_path / "spike.toml"
    path.write_text(SPIKE)
    derivation = derive(load_spec(path))
    assert ("theta",) in derivation.kernels
    assert ("width",) not in derivation.kernels
    emit(tmp_path, derivation, reference_table(derivation, "float32"))
    source = (tmp_path / "activations/tests/test_spike.py").read_text()
    assert "('theta', 'width')" in source
    assert "('width', 'theta')" not in source
    code, output = run(tmp_path)
    assert code == 0, output
    subprocess.run([sys.executable, "-c", LEARN], cwd=tmp_path, check=True)
