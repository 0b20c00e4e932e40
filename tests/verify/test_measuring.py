"""The generated code, run in the frameworks: as it is it passes, with a mistake in it it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actgen.build import Settings
from actgen.verify.measuring import Task, run
from actgen.verify.record import Entry, Measured, Place, Record
from actgen.verify.state import Store
from actgen.verify.table import missed

Break = Callable[[str, str, str], None]


def measure(project: Settings, name: str, framework: str, mode: str = "eager", dtype: str = "float32") -> Entry:
    folder = project.root / "state"
    keys = {(mode, dtype): "key"}
    module = project.out / framework / f"{name}.py"
    run(Task(framework, project.specs / f"{name}.toml", module, keys, (0, 1, 2), 512, folder))
    entry = Store(folder).read("key")
    assert entry is not None
    return entry


def told(entry: Entry, dtype: str = "float32") -> str:
    place = Place("swish", "torch", "eager", dtype)
    return "\n".join(missed(Record({place: Measured(entry, "", "", 0)})))


@pytest.mark.parametrize(
    ("framework", "mode", "dtype"),
    [
        ("torch", "eager", "float32"),
        ("jax", "compiled", "float64"),
        ("keras", "eager", "bfloat16"),
        ("keras", "compiled", "float32"),
    ],
)
def test_right_code_keeps_the_contract_beside_a_builtin_that_does_not(
    project: Settings, framework: str, mode: str, dtype: str
) -> None:
    entry = measure(project, "swish", framework, mode, dtype)
    quantities = {"value", "d/dx", "d2/dx2", "d/dbeta"}
    assert set(entry.cells) == {(quantity, setting) for quantity in quantities for setting in ("", "sampled")}
    assert [line for line in told(entry, dtype).splitlines() if "d2/dx2" not in line] == []
    builtin = entry.cells["d/dx", ""].builtin
    assert builtin is not None
    assert builtin.wrong == ("-inf",) or "-inf" in builtin.wrong
    assert entry.cells["value", "sampled"].builtin is None
    assert all(cell.ours.undecided == 0 for cell in entry.cells.values())


@pytest.mark.parametrize(
    ("framework", "wrong", "complaint"),
    [
        ("torch", "y * 1.000002", "swish value in"),
        ("torch", "y + (x - x.detach()) * 1e-5", "swish d/dx in"),
        ("torch", "y + (x - x.detach())**2 * 1e-5", "swish d2/dx2 in"),
        ("torch", "torch.where(x == 2, torch.nan, y)", "NaN or infinity for"),
        ("torch", "y.clamp(max=1e30)", "wrong at inf"),
        ("torch", "torch.nan_to_num(y, posinf=torch.inf)", "wrong at nan"),
        ("torch", "_right(x, 1.00001)", "with beta = "),
        ("jax", "y * 1.000002", "swish value in"),
        ("jax", "y + (x - jax.lax.stop_gradient(x)) * 1e-5", "swish d/dx in"),
        ("keras", "y * 1.000002", "swish value in"),
        ("keras", "y + (x - keras.ops.stop_gradient(x)) * 1e-5", "swish d/dx in"),
    ],
)
def test_a_mistake_in_the_code_is_found(
    project: Settings, break_it: Break, framework: str, wrong: str, complaint: str
) -> None:
    break_it(framework, "swish", wrong)
    assert complaint in told(measure(project, "swish", framework))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounding_a_half_twice_is_found(project: Settings, break_it: Break, dtype: str) -> None:
    break_it("torch", "swish", "x * torch.sigmoid(x * (args[0] if args else kwargs.get('beta', 1.0)))")
    assert "swish value in" in told(measure(project, "swish", "torch", dtype=dtype), dtype)


def test_code_that_does_not_run_is_a_miss_with_its_reason(project: Settings, break_it: Break) -> None:
    break_it("torch", "swish", "torch.ones(2) @ torch.ones(3)")
    entry = measure(project, "swish", "torch")
    assert "does not run: inconsistent tensor size" in told(entry)


def test_a_hyperparameter_is_a_number_in_keras_and_has_no_derivative(project: Settings) -> None:
    text = (project.specs / "swish.toml").read_text()
    assert "trainable = true\n" in text
    (project.specs / "swish.toml").write_text(text.replace("trainable = true\n", "").replace('shape = "scalar"\n', ""))
    entry = measure(project, "swish", "keras")
    assert {quantity for quantity, _ in entry.cells} == {"value", "d/dx", "d2/dx2"}
    assert entry.cells["value", "sampled"].ours.setting.startswith("beta = ")
