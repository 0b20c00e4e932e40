"""All numbers of float32, a stretch at a time: nothing is skipped, nothing done twice, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actgen.build import Settings
from actgen.numerics.oracle import Floats
from actgen.verify import exhaustive
from actgen.verify.record import Entry
from actgen.verify.state import Store

Break = Callable[[str, str, str], None]

CHUNKS = 2**32 // 2**16


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "CHUNK", 2**16)


def chunk_of(number: float) -> int:
    return int(np.float32(number).view(np.uint32)) >> 16


def stretch(project: Settings, name: str, chunks: range) -> exhaustive.Stretch:
    module = project.out / "torch" / f"{name}.py"
    state = project.root / "state"
    spec, keys = project.specs / f"{name}.toml", {("eager", "float32"): "key"}
    return exhaustive.Stretch("torch", spec, module, keys, (0, 1), state, chunks)


def entry(project: Settings) -> Entry:
    found = Store(project.root / "state").read("key")
    assert found is not None
    return found


def test_the_stretches_are_all_numbers_once() -> None:
    chunks = [chunk for part in exhaustive.stretches() for chunk in part]
    assert chunks == list(range(exhaustive.CHUNKS))
    assert exhaustive.CHUNKS * 2**22 == 2**32


def test_one_wrong_number_among_all_is_found(project: Settings, break_it: Break) -> None:
    at = float(np.float32(1.2345678))
    break_it("torch", "swish", f"torch.where(x == {at!r}, y * 1.00001, y)")
    first = chunk_of(at)
    exhaustive.run(stretch(project, "swish", range(first - 1, first + 2)))
    cell = entry(project).cells["value", "exhaustive"]
    assert cell.ours.units_at == cell.ours.ulps_at == at
    assert cell.ours.units > 20
    assert cell.builtin is not None
    assert cell.builtin.units < 4
    assert entry(project).cells["d/dx", "exhaustive"].ours.units_at == at


def test_infinities_and_nan_are_judged_where_they_are(project: Settings, break_it: Break) -> None:
    break_it("torch", "relu", "torch.where(x == torch.inf, 0 * x + 1, torch.where(x < -3e38, torch.nan, y))")
    ends = [chunk_of(np.inf), chunk_of(-np.inf) - 1]
    for chunk in ends:
        exhaustive.run(stretch(project, "relu", range(chunk, chunk + 1)))
        cell = entry(project).cells["value", "exhaustive"]
        if chunk == ends[0]:
            assert cell.ours.wrong == ("inf",)
        else:
            assert cell.ours.spurious > 1000
        assert cell.builtin is not None
        assert not cell.builtin.wrong
        assert not cell.builtin.spurious


def test_a_worse_chunk_is_found_after_a_bad_one_and_every_infinity_is_counted(
    project: Settings, break_it: Break
) -> None:
    one, two = (float(np.float32(x)) for x in (1.25, 1.26))
    chunks = range(chunk_of(one), chunk_of(two) + 1)
    assert len(chunks) > 1
    module = project.out / "torch/relu.py"
    right = module.read_text()
    # 8 and 9 ULP of numbers between 1 and 2.
    break_it("torch", "relu", f"y + (x == {one}) * 8 * 2.0**-23 + (x == {two}) * 9 * 2.0**-23")
    exhaustive.run(stretch(project, "relu", chunks))
    found = entry(project).cells["value", "exhaustive"].ours
    assert (found.ulps, found.ulps_at) == (9.0, two)
    assert found.units_at == two
    module.write_text(right)
    break_it("torch", "relu", f"torch.where((x == {one}) | (x == {two}), torch.inf, x)")
    exhaustive.run(stretch(project, "relu", chunks))
    assert entry(project).cells["value", "exhaustive"].ours.spurious == 2


@pytest.mark.parametrize(("slope_at_tiny", "is_excused"), [("0", True), ("0.5", False)])
def test_a_subnormal_number_may_be_taken_for_zero_in_any_chunk(
    project: Settings, break_it: Break, slope_at_tiny: str, is_excused: bool
) -> None:
    """relu has the slope 0 at zero and 1 above; nowhere has it 0.5."""
    break_it("torch", "relu", f"torch.where(x.abs() < 1e-38, {slope_at_tiny} * x, y)")
    exhaustive.run(stretch(project, "relu", range(1, 2)))
    found = entry(project).cells["d/dx", "exhaustive"].ours
    assert found.units == 0 if is_excused else found.units >= 2**22


def test_an_interrupted_stretch_goes_on_at_its_next_chunk(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    original, asked = exhaustive._numbers, []

    def interrupted(chunk: int) -> Floats:
        asked.append(chunk)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return original(chunk)

    monkeypatch.setattr(exhaustive, "_numbers", interrupted)
    task = stretch(project, "swish", range(16000, 16004))
    with pytest.raises(KeyboardInterrupt):
        exhaustive.run(task)
    log = project.root / "state/key.chunks"
    log.write_text(log.read_text() + '{"chunk": 16002, "quan')  # killed while it wrote
    exhaustive.run(task)
    assert asked == [16000, 16001, 16002, 16002, 16003]
    assert not log.exists()
    interrupted_cells = entry(project).cells
    monkeypatch.setattr(exhaustive, "_numbers", original)
    exhaustive.run(task)
    assert entry(project).cells == interrupted_cells


def test_code_that_does_not_run_is_told_and_tried_again(project: Settings, break_it: Break) -> None:
    module = project.out / "torch/swish.py"
    right = module.read_text()
    break_it("torch", "swish", "int('x')")
    task = stretch(project, "swish", range(16000, 16002))
    exhaustive.run(task)
    assert entry(project).failure == "ValueError: invalid literal for int() with base 10: 'x'"
    assert "swish.py" in entry(project).traceback
    store = Store(task.state)
    assert not store.holds("key")
    failed = entry(project)
    module.write_text(right)
    exhaustive.run(task)
    assert store.holds("key")
    assert entry(project).worse(failed) == failed.worse(entry(project)) == failed


def test_a_builtin_without_a_second_derivative_is_compared_as_far_as_it_goes(project: Settings) -> None:
    spec = project.specs / "swish.toml"
    text = spec.read_text().partition("[builtins]")[0]
    spec.write_text(f'{text}[builtins]\ntorch = "torch.nn.functional.hardsigmoid"\n')
    exhaustive.run(replace(stretch(project, "swish", range(16000, 16001)), orders=(0, 1, 2)))
    compared = {quantity for (quantity, _), cell in entry(project).cells.items() if cell.builtin is not None}
    assert compared == {"value", "d/dx"}


def test_the_worst_of_all_stretches_is_the_worst(project: Settings) -> None:
    parts = []
    for chunks in (range(16000, 16002), range(16256, 16258)):
        exhaustive.run(stretch(project, "swish", chunks))
        parts.append(entry(project))
    cells = parts[0].worse(parts[1]).cells
    exhaustive.run(stretch(project, "swish", range(16000, 16002)))
    for key, cell in cells.items():
        assert cell.ours.units == max(part.cells[key].ours.units for part in parts)
    assert Path(project.root / "state").is_dir()
