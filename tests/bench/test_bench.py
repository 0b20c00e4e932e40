"""`actgen bench` from the command line to the page, in every way it knows; sizes are small, times are not judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from actgen.bench import Measured, Place, Record, Request, bench
from actgen.bench.measuring import Task, run
from actgen.bench.ways import WAYS
from actgen.build import BuildError, InputError, Settings
from actgen.build.progress import Silence
from actgen.catalog import find_activations
from actgen.cli import bench_command as command
from actgen.cli import main
from actgen.spec import SpecError

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


def test_a_way_that_is_asked_for_is_not_left_out_in_silence(tmp_path: Path) -> None:
    """Of a project that is not built for it, or with a pass that it does not have."""
    (tmp_path / "generated" / "torch").mkdir(parents=True)
    activations = find_activations(["relu"], ROOT / "specs")
    settings = Settings(ROOT / "specs", tmp_path / "generated", ("torch",), tmp_path)
    with pytest.raises(InputError, match='add "jax" to the targets'):
        bench(activations, settings, Request(ways=("jax-jit",)), tmp_path, progress=Silence())
    with pytest.raises(InputError, match="none of torch, keras, jax"):
        bench(activations, replace(settings, targets=("flax",)), Request(), tmp_path, progress=Silence())
    with pytest.raises(InputError, match="leave out its ways"):
        Request.of(("keras-fit",), (), (), ("forward",), None)


def test_what_one_way_gave_is_kept_if_the_next_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_in_jax(_: object, tasks: Mapping[str, Task], **__: object) -> list[dict[Place, Measured]]:
        if "jax-jit relu" in tasks:
            raise BuildError("a worker process died")
        place = Place("relu", "torch-eager", "float32", 2**10, "forward")
        return [{place: Measured("no built-in", "1f", {"ours": 1.0, "copy": 1.0}, {"copy": 1.0}, {})}]

    monkeypatch.setattr("actgen.bench.benching.run_all", fail_in_jax)
    settings = Settings(ROOT / "specs", ROOT / "generated", ("torch", "jax"), tmp_path)
    request = Request(ways=("torch-eager", "jax-jit"))
    with pytest.raises(BuildError):
        bench(find_activations(["relu"], ROOT / "specs"), settings, request, tmp_path, progress=Silence())
    assert [place.way for place in Record.read(tmp_path).measured] == ["torch-eager"]
    # With nobody to hold it against there is a row of it and no picture.
    assert "| relu | no built-in | 1 s |" in (tmp_path / "README.md").read_text()
    assert not list(tmp_path.glob("*.png"))


def test_a_built_in_that_does_not_run_is_named_with_the_spec_that_names_it(tmp_path: Path) -> None:
    """`linear` wants weights: the spec is wrong, and a traceback from the depths of torch would not say so."""
    text = (ROOT / "specs" / "relu.toml").read_text(encoding="utf-8")
    assert "torch.nn.functional.relu" in text
    spec = tmp_path / "relu.toml"
    spec.write_text(text.replace("torch.nn.functional.relu", "torch.nn.functional.linear"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"torch\.nn\.functional\.linear does not run in eager mode: TypeError"):
        run(replace(task("torch-eager", "relu"), spec=spec))


@pytest.mark.parametrize("size", ["1024", "2^3", "2^29", "2^x", "3^10"])
def test_a_size_that_is_no_power_of_two_is_bad_input(size: str) -> None:
    with pytest.raises(InputError, match="write a power of two"):
        Request.of((), (), (size,), (), None)
