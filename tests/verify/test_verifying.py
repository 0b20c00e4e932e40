"""The command: what it writes, what it does not measure twice, and how it says that something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from actgen.build import BuildError, InputError, KernelRecord, Manifest, Settings
from actgen.build import Record as Built
from actgen.build.progress import Silence
from actgen.catalog import find_activations
from actgen.cli import main
from actgen.numerics import cache
from actgen.targets.torch.arithmetic import ARITHMETIC
from actgen.verify import Record, Request, exhaustive, measuring, plan, verify, verifying
from actgen.verify.measuring import Sample
from actgen.verify.page import PAGE
from actgen.verify.record import NAME

Break = Callable[[str, str, str], None]
SMALL = Request(("torch",), ("float32", "bfloat16"), (0, 1), ("eager",), 256)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments])


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was measured, in this process; and the framework is imported once."""
    names: list[str] = []

    def run_here(function: Callable[[Any], Any], tasks: Mapping[str, Any], **_: object) -> list[Any]:
        results = []
        for name, task in tasks.items():
            results.append(function(task))
            names.append(name)
        return results

    monkeypatch.setattr(verifying, "run_all", run_here)
    return names


def measure(project: Settings, *names: str, request: Request = SMALL) -> Record:
    return verify(find_activations(names, project.specs), project, request, jobs=1, progress=Silence())


def test_exact_values_are_kept_until_all_frameworks_are_measured(project: Settings, ran: list[str]) -> None:
    measure(project, "swish")
    assert ran == ["torch swish"]
    assert (cache.folder() / "verify").is_dir()
    assert not (cache.folder() / "values").exists()


def test_what_is_known_is_not_measured_again_and_gives_the_same_bytes(project: Settings, ran: list[str]) -> None:
    measure(project)
    assert ran == ["torch relu", "torch swish"]
    before = [(project.out / name).read_bytes() for name in (NAME, PAGE)]
    measure(project)
    assert ran == ["torch relu", "torch swish"]
    for name in (NAME, PAGE):
        (project.out / name).unlink()
    measure(project)
    assert ran == ["torch relu", "torch swish"]
    assert [(project.out / name).read_bytes() for name in (NAME, PAGE)] == before


def test_an_interrupted_run_goes_on_where_it_stopped(
    project: Settings, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = measuring.run

    def stop_at_swish(task: Sample) -> None:
        if "swish" in str(task.spec):
            raise KeyboardInterrupt
        original(task)

    monkeypatch.setattr(measuring, "run", stop_at_swish)
    with pytest.raises(KeyboardInterrupt):
        measure(project)
    assert ran == ["torch relu"]
    assert not (project.out / NAME).exists()
    monkeypatch.setattr(measuring, "run", original)
    measure(project)
    assert ran == ["torch relu", "torch swish"]
    assert {place.activation for place in Record.read(project.out).measured} == {"relu", "swish"}


def test_only_the_types_that_are_new_are_measured(
    project: Settings, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, asked = measuring.run, []

    def ask(task: Sample) -> None:
        asked.append(list(task.keys))
        original(task)

    monkeypatch.setattr(measuring, "run", ask)
    measure(project, "relu", request=Request(("torch",), ("float32",), (0, 1), ("eager",), 256))
    measure(project, "relu")
    assert asked == [[("eager", "float32")], [("eager", "bfloat16")]]


def test_an_exhaustive_run_is_made_of_stretches_each_measured_once(
    project: Settings, ran: list[str], break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CHUNKS", 4), ("STRETCHES", 2), ("CHUNK", 2**14)):
        monkeypatch.setattr(exhaustive, name, value)
    wrong_in_second = float(np.uint32(2**15 + 5).view(np.float32))
    break_it("torch", "relu", f"torch.where(x == {wrong_in_second!r}, 1, y)")
    request = Request.of(["torch"], ["eager"], [], None, None, is_exhaustive=True)
    record = measure(project, request=request)
    assert ran == [f"torch {name} {first}" for first in (0, 2) for name in ("relu", "swish")]
    assert {(row.place.activation, row.quantity, row.setting, row.is_missed) for row in record.rows} == {
        ("relu", "value", "exhaustive", True),
        ("swish", "value", "exhaustive", False),
    }
    measure(project, request=request)
    assert len(ran) == 4
    break_it("torch", "relu", "y")
    measure(project, request=request)
    assert ran[4:] == ["torch relu 0", "torch relu 2"]


def test_results_that_went_meanwhile_are_no_results(
    project: Settings, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = measuring.run

    def lose(task: Sample) -> None:
        original(task)
        (task.state / f"{task.keys['eager', 'float32']}.json").unlink()

    monkeypatch.setattr(measuring, "run", lose)
    with pytest.raises(BuildError, match="run `actgen verify` again"):
        measure(project, "relu")
    assert not (project.out / NAME).exists()


def test_a_run_on_one_name_updates_only_its_rows(project: Settings, ran: list[str], break_it: Break) -> None:
    measure(project)
    relu, swish = (project.out / "torch" / f"{name}.py" for name in ("relu", "swish"))
    before = Record.read(project.out)
    break_it("torch", "relu", "y * 1.01")
    swish.write_text(swish.read_text() + "\n# other code\n")
    record = measure(project, "relu")
    assert {row.place.activation for row in record.rows if row.is_missed} == {"relu"}
    after = Record.read(project.out)
    assert all(after.measured[p] == before.measured[p] for p in before.measured if p.activation == "swish")
    assert "torch | eager | float32" in (project.out / PAGE).read_text()
    assert relu.is_file()


def test_the_page_gives_the_reason_that_the_build_knows(project: Settings, ran: list[str], break_it: Break) -> None:
    kernel = KernelRecord("as declared", 3.0, 3.0, 1.0, True, False, (1, 1, 9))
    built = {"relu": Built("specs/relu.toml", "", "ReLU", (), "", {"value": {"torch": kernel}}, {})}
    (project.out / "manifest.json").write_text(Manifest(activations=built).dump())
    break_it("torch", "relu", "y * 1.01")
    measure(project, "relu")
    margin = f"{ARITHMETIC.margin:g}"
    assert (
        f"3.00 units in emulated arithmetic, where none was found within {margin}" in (project.out / PAGE).read_text()
    )


def test_rows_of_other_code_are_told(project: Settings, ran: list[str]) -> None:
    measure(project)
    assert "relu in keras: not measured" in run("--check", "relu").stderr
    path = project.out / "torch/relu.py"
    path.write_text(path.read_text() + "\n# other code\n")
    result = run("--check")
    assert result.exit_code == 1
    assert "relu in torch: measured on other code" in result.stderr
    assert "swish in torch" not in result.stderr


def test_a_miss_is_shown_and_exits_with_1(project: Settings, ran: list[str], break_it: Break) -> None:
    arguments = ["relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", "--points", "64"]
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "MISSED" not in result.stdout
    break_it("torch", "relu", "y * 1.01")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "relu value in torch, eager, float32: " in result.stderr
    assert "MISSED" in result.stdout


def test_code_that_does_not_run_is_shown_with_its_traceback_and_tried_again(
    project: Settings, ran: list[str], break_it: Break
) -> None:
    arguments = ["relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", "--points", "64"]
    break_it("torch", "relu", "len(3)")
    for _ in range(2):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "relu in torch, eager, float32: does not run: TypeError: object of type 'int'" in result.stderr
        assert result.stderr.count("Traceback (most recent call last)") == 1
    assert ran == ["torch relu"] * 2
    assert "| does not run | TypeError: object of type 'int' has no len() |" in (project.out / PAGE).read_text()
    for name in (NAME, PAGE):
        assert str(project.root) not in (project.out / name).read_text()


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "def rellu(x):\n    return x\n"])
@pytest.mark.parametrize("more", [["--points", "64"], ["--exhaustive"]])
def test_a_module_without_the_function_does_not_run(
    project: Settings, ran: list[str], monkeypatch: pytest.MonkeyPatch, text: str, more: list[str]
) -> None:
    monkeypatch.setattr(exhaustive, "STRETCHES", 1)
    (project.out / "torch/relu.py").write_text(text)
    result = run("relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", *more)
    assert result.exit_code == 1
    assert "relu in torch, eager, float32: does not run: " in result.stderr
    assert "| does not run | " in (project.out / PAGE).read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rellu"], "did you mean 'relu'?"),
        (["--framework", "numpy"], "'numpy' is not one of"),
        (["--dtype", "float8"], "'float8' is not one of"),
        (["--order", "3"], "write 0, 1 and 2 with commas between them"),
        (["--order", ""], "write 0, 1 and 2 with commas between them"),
        (["--points", "1"], "1 is not in the range"),
        (["--out", "nowhere"], "there is no such file; run `actgen build`"),
        (["--exhaustive", "--dtype", "float64"], "no other type; leave out --dtype"),
        (["--exhaustive", "--points", "1024"], "no sample; leave out --points"),
    ],
)
def test_a_mistake_on_the_command_line_is_bad_input(project: Settings, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (project.out / PAGE).exists()


@pytest.mark.parametrize("more", [["--points", "64"], ["--exhaustive"]])
def test_a_request_that_leaves_nothing_to_measure_is_bad_input(
    project: Settings, ran: list[str], more: list[str]
) -> None:
    result = run("relu", "--framework", "torch", "--mode", "compiled", "--order", "2", *more)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: nothing to measure: PyTorch has no second derivative of what torch.compile has compiled; take another "
        "--order, --mode or --framework\n"
    )
    assert ran == []
    assert not (project.out / PAGE).exists()


def test_what_there_is_is_measured_and_what_there_is_not_is_told(project: Settings, ran: list[str]) -> None:
    result = run("relu", "--framework", "torch", "--dtype", "float32", "--order", "2", "--points", "64")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Not measured: PyTorch has no second derivative of what torch.compile has compiled\n" in result.stdout
    assert {
        (place.mode, *keys) for place, one in Record.read(project.out).measured.items() for keys in one.entry.cells
    } == {("eager", "d2/dx2", "")}
    result = run("relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", "--points", "64")
    assert "Not measured" not in result.stdout


def test_a_wrong_builtin_is_told_by_a_worker_with_its_place_and_without_a_traceback(project: Settings) -> None:
    path = project.specs / "relu.toml"
    text = path.read_text().partition("[builtins]")[0]
    path.write_text(f'{text}[builtins]\ntorch = {{ name = "torch.nn.functional.relu", arguments = {{ slope = 2 }} }}\n')
    arguments = ["relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", "-j", "1"]
    for more in (["--points", "64"], ["--exhaustive"]):
        result = run(*arguments, *more)
        assert result.exit_code == 2
        told = result.stderr.splitlines()
        assert told[0].startswith(f"specs/relu.toml:{text.count(chr(10)) + 2}:9: torch.nn.functional.relu does not run")
        assert len(told) == 3
        assert not (project.out / PAGE).exists()


def test_what_is_measured_is_what_the_project_is_built_for(project: Settings, ran: list[str]) -> None:
    (project.root / "pyproject.toml").write_text('[tool.actgen]\ntargets = ["torch"]\n')
    shutil.rmtree(project.out / "keras")
    shutil.rmtree(project.out / "jax")
    arguments = ["relu", "--mode", "eager", "--dtype", "float32", "--points", "64"]
    assert run(*arguments).exit_code == 0
    assert ran == ["torch relu"]
    assert run("--check", "relu").exit_code == 0
    named = run(*arguments, "--framework", "jax")
    assert named.exit_code == 2
    assert 'generated/jax/relu.py: there is no such file; add "jax" to the targets in pyproject.toml' in named.stderr
    (project.root / "pyproject.toml").write_text('[tool.actgen]\ntargets = ["mlx"]\n')
    other = run(*arguments)
    assert other.exit_code == 2
    assert "targets: none of torch, keras, jax" in other.stderr


def test_a_broken_manifest_is_told_before_anything_is_measured(project: Settings, ran: list[str]) -> None:
    (project.out / "manifest.json").write_text("<<<<<<< HEAD\n")
    result = run("relu")
    assert result.exit_code == 2
    assert "manifest.json: not what a build wrote" in result.stderr
    assert ran == []


def test_a_broken_record_is_told_before_anything_is_measured(project: Settings, ran: list[str]) -> None:
    (project.out / NAME).write_text("<<<<<<< HEAD\n")
    result = run("relu")
    assert result.exit_code == 2
    assert (
        result.stderr == "Error: generated/accuracy.json: not what `actgen verify` wrote; delete it and measure again\n"
    )
    assert ran == []


def test_an_activation_named_twice_is_measured_and_counted_once(
    project: Settings, ran: list[str], break_it: Break
) -> None:
    break_it("torch", "relu", "torch.where(x == 2, torch.nan, y)")
    record = measure(project, "relu", "ReLU", request=Request(("torch",), ("float32",), (0,), ("eager",), 256))
    assert ran == ["torch relu"]
    assert [row.cell.ours.spurious for row in record.rows] == [1]


def test_a_framework_that_is_not_installed_is_bad_input(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plan.LIBRARIES, "jax", (("no-such-framework",),))
    with pytest.raises(InputError, match=r"no-such-framework is not installed; `pip install actgen\[jax\]`"):
        measure(project, "relu", request=Request(("jax",)))


def test_measuring_in_processes_gives_the_same_as_here(project: Settings) -> None:
    result = run("relu", "--framework", "torch", "--mode", "eager", "--dtype", "float32", "--points", "64", "-j", "1")
    assert result.exit_code == 0, result.stderr
    assert {row.quantity for row in Record.read(project.out).rows} == {"value", "d/dx", "d2/dx2"}


def test_a_build_leaves_the_record_and_the_page_alone(project: Settings) -> None:
    text = "[project]\n"
    for name in (NAME, PAGE):
        (project.out / name).write_text(text)
    shown = CliRunner().invoke(main, ["build", "--overwrite", "--target", "jax", "-j", "1"])
    assert shown.exit_code == 0, shown.stderr
    assert all((project.out / name).read_text() == text for name in (NAME, PAGE))
    assert CliRunner().invoke(main, ["build", "--check", "--target", "jax"]).exit_code == 0
