"""`actgen bench` from the command line to the page, in every way it knows; sizes are small, times are not judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from actgen.bench import Record, Request
from actgen.bench.measuring import Task, run
from actgen.bench.record import Place
from actgen.bench.ways import WAYS
from actgen.build import InputError
from actgen.cli import bench_command as command
from actgen.cli import main

ROOT = Path(__file__).resolve().parents[2]

# torch 2.13's own, November 2026: the first use of its compiler; any autograd.Function under Dynamo.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


def task(way: str, name: str, **asked: tuple[str, ...]) -> Task:
    request = Request(sizes=(2**10,), rounds=2, **asked)
    target = WAYS[way].target
    return Task(way, ROOT / "specs" / f"{name}.toml", ROOT / "generated" / target / f"{name}.py", request)


def test_the_command_line_knows_every_way() -> None:
    (option,) = (parameter for parameter in command.params if parameter.name == "ways")
    assert tuple(option.type.choices) == tuple(WAYS)  # type: ignore[attr-defined]


def test_an_activation_is_measured_beside_the_others_and_the_page_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    arguments = ["bench", "mish", "--way", "torch-eager", "--size", "2^10", "--rounds", "2", "-o", str(tmp_path)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = Record.read(tmp_path).measured
    assert {(place.part, place.size) for place in found} == {("forward", 2**10), ("training", 2**10)}
    training = found[Place("mish", "torch-eager", "float32", 2**10, "training")]
    assert training.group == "transcendental"
    assert set(training.seconds) == {"ours", "builtin", "naive", "copy"}
    assert set(training.ratios) == {"builtin", "naive", "copy"}
    assert training.kept["ours"] == training.kept["builtin"] == 4.0, "the input alone"
    assert training.kept["naive"] > 4.0
    assert re.search(r"\| mish \| transcendental \| [\d.]+ us \|", (tmp_path / "README.md").read_text())


@pytest.mark.parametrize("way", WAYS)
def test_every_way_runs(way: str) -> None:
    found = run(task(way, "relu", passes=("training",)))
    (one,) = found.values()
    assert one.group == "cheap"
    assert all(seconds > 0 for seconds in one.seconds.values())
    assert set(one.seconds) == {"ours", "builtin", "naive", "copy"}


@pytest.mark.parametrize(
    ("name", "group", "contestants"),
    [
        ("lisht", "no built-in", {"ours", "naive", "copy"}),
        ("glu", "transcendental", {"ours", "builtin", "naive", "copy"}),
        ("softmax", "transcendental", {"ours", "builtin", "copy"}),
    ],
)
def test_every_kind_is_held_against_those_that_there_are(name: str, group: str, contestants: set[str]) -> None:
    (one,) = run(task("jax-jit", name, passes=("forward",))).values()
    assert one.group == group
    assert set(one.seconds) == contestants


def test_half_types_are_measured_in_their_own_type() -> None:
    ((place, one),) = run(task("torch-eager", "silu", dtypes=("bfloat16",), passes=("training",))).items()
    assert place.dtype == "bfloat16"
    assert one.kept["ours"] == 2.0


@pytest.mark.parametrize("size", ["1024", "2^3", "2^29", "2^x", "3^10"])
def test_a_size_that_is_no_power_of_two_is_bad_input(size: str) -> None:
    with pytest.raises(InputError, match="write a power of two"):
        Request.of((), (), (size,), (), None)
