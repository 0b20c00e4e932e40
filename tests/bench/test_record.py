"""The record, its page and its pictures: nothing is lost, machines are not mixed, means are of the right thing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from actgen.bench.benching import write
from actgen.bench.page import PAGE, render
from actgen.bench.record import NAME, Measured, Place, Record, machine
from actgen.bench.table import duration, means, rival, table
from actgen.build import InputError

AT = Place("mish", "torch-eager", "float32", 2**20, "training")
MISH = Measured(
    "transcendental",
    "1f",
    {"ours": 0.002, "builtin": 0.004, "naive": 0.008, "copy": 0.001},
    {"builtin": 0.5, "naive": 0.25, "copy": 2.0},
    {"ours": 4.0, "builtin": 4.0, "naive": 16.0},
)
SERF = Measured("no built-in", "2f", {"ours": 0.001, "copy": 0.001}, {"naive": 2.0, "copy": 1.0}, {})
RECORD = Record({AT: MISH, replace(AT, activation="serf"): SERF}, machine(), {"torch": "torch 2.13.0"})


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write(RECORD, tmp_path)
    assert Record.read(tmp_path) == RECORD
    assert {path.name for path in tmp_path.iterdir()} == {NAME, PAGE, "torch-eager.png", "torch-eager.svg"}
    before = (tmp_path / NAME).read_bytes()
    write(Record.read(tmp_path), tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}', '{"format": 1, "measured": [{}]}', "[]"])
def test_a_broken_record_is_bad_input_and_says_what_to_do(text: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError, match="delete it and run `actgen bench`"):
        Record.read(tmp_path)


def test_a_record_of_another_format_is_not_read(tmp_path: Path) -> None:
    content = json.loads(RECORD.dump())
    (tmp_path / NAME).write_text(json.dumps({**content, "format": 0}))
    with pytest.raises(InputError, match="another version"):
        Record.read(tmp_path)


def test_what_is_measured_again_is_replaced_and_the_rest_stays() -> None:
    faster = replace(MISH, ratios={"builtin": 0.4})
    updated = RECORD.updated({AT: faster}, {"jax": "jax 0.10.2"})
    assert updated.measured == {**RECORD.measured, AT: faster}
    assert updated.versions == {"torch": "torch 2.13.0", "jax": "jax 0.10.2"}


def test_another_machine_or_version_does_not_stand_beside_this_one() -> None:
    assert RECORD.updated({AT: MISH}, {"torch": "torch 3.0"}).measured == {AT: MISH}
    elsewhere = replace(RECORD, machine="an abacus")
    assert elsewhere.updated({AT: MISH}, {"torch": "torch 2.13.0"}).measured == {AT: MISH}


def test_a_mean_is_geometric_and_of_the_built_in_or_else_of_the_formula_as_typed() -> None:
    slow = replace(MISH, ratios={"builtin": 2.0, "naive": 0.01})
    alone = replace(MISH, ratios={"copy": 3.0})
    assert means([MISH, slow, SERF, alone]) == {"transcendental": (1.0, 2.0, 2), "no built-in": (2.0, 2.0, 1)}
    assert (rival(MISH), rival(SERF), rival(alone)) == ("builtin", "naive", None)


def test_the_page_has_every_activation_and_the_machine() -> None:
    page = render(RECORD, {"torch-eager": "torch-eager.png"})
    assert machine() in page
    assert "    actgen bench mish serf --way torch-eager --dtype float32 --size 2^20 --pass training\n" in page
    assert "torch 2.13.0" in page
    assert "| float32 | 2^20 | training | transcendental | 0.50 | 0.50 | 1 |" in page
    assert "| mish | transcendental | 2 ms | 0.50 | 0.25 | 2.00 | 4 / 4 / 16 |" in page
    assert "| serf | no built-in | 1 ms |  | 2.00 | 1.00 |  |" in page
    assert "![ours as a multiple of the others' time: PyTorch, eager](torch-eager.png)" in page


def test_the_page_says_how_to_repeat_it_in_as_few_calls_as_there_can_be() -> None:
    others = {replace(AT, way="jax-jit"): MISH, replace(AT, way="jax-jit", activation="serf"): SERF}
    half = {replace(AT, way="keras-fit", dtype="bfloat16"): MISH}
    page = render(Record({**RECORD.measured, **others, **half}, machine(), {}), {})
    calls = [line.strip() for line in page.splitlines() if line.startswith("    actgen bench")]
    assert calls == [
        "actgen bench mish serf --way torch-eager --way jax-jit --dtype float32 --size 2^20 --pass training",
        "actgen bench mish --way keras-fit --dtype bfloat16 --size 2^20 --pass training",
    ]


def test_the_table_has_a_row_for_each_place() -> None:
    assert table(RECORD)[0] == (
        *("mish", "torch-eager", "float32", "2^20", "training"),
        *("2 ms", "0.50", "0.25", "2.00", "4 / 4 / 16"),
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (1e-3, "1 ms"), (12.34e-6, "12.3 us"), (3e-8, "0.03 us")]
)
def test_a_duration_has_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
