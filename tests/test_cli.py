"""The command line as a user meets it: output, exit codes, and no traceback for a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actgen.cli import main

GOOD = """\
title = "Mine"
summary = "A sentence."
expression = "x * sigmoid(beta * x)"
folklore = true

[parameters.beta]
default = 1.0
description = "Slope."
domain = "positive"
"""

FAST = GOOD.replace("x * sigmoid(beta * x)", "Piecewise((x, x > 0), (beta * x, True))")

BAD: dict[str, str | bytes] = {
    "unknown_key": GOOD.replace("folklore", "folk_lore"),
    "unknown_function": GOOD.replace("sigmoid", "sigmiod"),
    "default_outside": GOOD.replace("default = 1.0", "default = -1.0"),
    "import_os": GOOD.replace("x * sigmoid(beta * x)", "__import__('os')"),
    "huge_power": GOOD.replace("x * sigmoid(beta * x)", "x**(10**9)"),
    "nested": GOOD.replace("x * sigmoid(beta * x)", "(" * 5000 + "x" + ")" * 5000),
    "broken_toml": GOOD.replace('"Mine"', '"Mine'),
    "not_utf8": GOOD.encode().replace(b"Mine", b"M\xffne"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the working folder."""
    (tmp_path / "pyproject.toml").write_text("[tool.actgen]\n")
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def run_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "actgen", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_exit_codes_are_in_the_help() -> None:
    for arguments in ((), ("build",), ("check",), ("new",), ("list",), ("show",), ("plot",)):
        result = run(*arguments, "--help")
        assert result.exit_code == 0
        assert "2  bad input" in result.output


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_paragraph_with_its_place_and_leaves_generated_untouched(project: Path, name: str) -> None:
    (project / "generated").mkdir()
    (project / "generated/kept.txt").write_text("kept")
    content = BAD[name]
    (project / f"specs/{name}.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in (["build"], ["build", "--check"], ["check"], ["check", f"specs/{name}.toml"], ["list"]):
        result = run(*command)
        assert result.exit_code == 2, result.stderr
        assert result.stderr.startswith(f"specs/{name}.toml:")
        assert result.stderr.split(":")[1].isdigit()
        assert len(result.stderr) < 600
        assert result.stdout == ""
    assert [path.name for path in (project / "generated").iterdir()] == ["kept.txt"]
    assert sorted(path.name for path in project.iterdir()) == ["generated", "pyproject.toml", "specs"]


def test_all_mistakes_of_all_files_are_told_in_one_run(project: Path) -> None:
    for name, content in BAD.items():
        (project / f"specs/{name}.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run_process(project, "build")
    assert result.returncode == 2
    assert [name for name in BAD if f"specs/{name}.toml:" not in result.stderr] == []
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "mishh"], "no activation is called 'mishh'; did you mean 'mish'?"),
        (["show", "qqqqqqqq"], "no activation is called 'qqqqqqqq'; `actgen list` shows what there is"),
        (["show", "specs/none.toml"], "specs/none.toml: there is no such file"),
        (["check", "nothing.toml"], "nothing.toml: there is no such file"),
        (["build", "--specs", "nowhere"], "nowhere: there is no such folder of specs; name one with --specs"),
        (["build", "--target", "pytorch"], "there is no target 'pytorch'"),
        (["build", "--check", "--compile"], "--check writes nothing, so it cannot --compile"),
        (["build", "--jobs", "0"], "0 is not in the range"),
        (["build", "--out", "."], "the output needs a folder of its own"),
        (["plot", "swish", "--parameter", "gamma=1"], "swish has no such parameter; it has beta"),
        (["plot", "swish", "--parameter", "beta"], "write a name and numbers"),
        (["plot", "swish", "--parameter", "beta=1,two"], "write a name and numbers"),
        (["plot", "swish", "--parameter", "beta=nan"], "write a name and numbers"),
        (["plot", "swish", "--parameter", "beta=1", "--parameter", "beta=2"], "beta is given twice"),
        (["plot", "celu", "--parameter", "alpha=-1"], "-1 is not"),
        (["plot", "swish", "--parameter", "beta=1,2,3,4,5,6,7,8"], "8 curves are more than one can tell apart"),
        (["plot", "swish", "--range", "1", "1"], "the first end must be below the second"),
        (["plot", "swish", "--range", "nan", "1"], "the first end must be below the second"),
        (["plot", "swish", "--range", "-1e308", "1e308"], "the first end must be below the second, both within 1e300"),
        (
            ["new", "../my_act", "--expression", "x"],
            "'../my_act' is a path, not a name; say with --specs where to put it",
        ),
        (["new", "some\\my_act", "--expression", "x"], "is a path, not a name; say with --specs where to put it"),
        (["plot", "swish", "-o", "swish.xyz"], "swish.xyz"),
        (["plot", "swish", "-o", "nowhere/swish.png"], "nowhere/swish.png: No such file or directory"),
    ],
)
def test_a_mistake_on_the_command_line_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["build"], ["build", "--check"], ["check"], ["show", "mine", "--numerics"]], ids=" ".join
)
def test_a_target_that_nothing_provides_is_bad_input(project: Path, arguments: list[str]) -> None:
    (project / "pyproject.toml").write_text('[tool.actgen]\ntargets = ["pytorch"]\n')
    (project / "specs/mine.toml").write_text(FAST)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "there is no target 'pytorch'; installed targets: " in result.stderr


@pytest.mark.parametrize("name", ["gelu_tanh", "gelu_new", "GELUTanh", "gelutanh", "GELU_NEW"])
def test_an_activation_goes_by_its_name_its_aliases_and_its_class(name: str) -> None:
    from actgen.build import packaged_specs
    from actgen.catalog import find_activation

    assert find_activation(name, packaged_specs()).name == "gelu_tanh"


def test_new_makes_a_spec_and_says_what_to_fill_in(project: Path) -> None:
    result = run("new", "my_act", "--expression", "x * tanh(x)**2")
    assert result.exit_code == 0
    assert "specs/my_act.toml: made; fill in:" in result.output
    assert "FILL IN: one sentence" in result.output
    again = run("new", "my_act", "--expression", "x")
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_list_names_every_activation() -> None:
    result = run("list")
    assert result.exit_code == 0
    for text in ("leaky_relu", "LeakyReLU", "negative_slope=0.01", "hardtanh"):
        assert text in result.output


def test_show_tells_what_is_known(project: Path) -> None:
    (project / "specs/mine.toml").write_text(GOOD.replace("x * sigmoid(beta * x)", "beta * asinh(x)"))
    result = run("show", "mine")
    assert result.exit_code == 0, result.output
    for text in (
        "formula",
        "d/dx",
        "d2/dx2",
        "limits",
        "parity",
        "odd",
        "beta = 1, positive: Slope.",
        "torch: mine, Mine",
    ):
        assert text in result.output


def test_check_judges_and_writes_nothing(project: Path) -> None:
    run("new", "my_act", "--expression", "Piecewise((x, x > 0), (beta * x, True))")
    before = sorted(project.rglob("*"))
    result = run("check", "specs/my_act.toml")
    assert result.exit_code == 0, result.output
    for text in ("my_act", "value", "d/dx", "d/dbeta", "d2/dx dbeta", "ok"):
        assert text in result.output
    assert "specs/my_act.toml:2: still to be filled in" in result.output
    assert sorted(project.rglob("*")) == before


def test_check_of_a_contract_that_is_missed_exits_with_1(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "specs/mine.toml").write_text(FAST)
    monkeypatch.setattr("actgen.numerics.race.CONTRACT", 0.001)
    result = run("check")
    assert result.exit_code == 1
    assert "MISSED" in result.stdout
    assert "The accuracy contract is missed:\nmine value (" in result.stderr


@pytest.mark.parametrize("command", ["build", "check"])
def test_build_and_check_refuse_what_has_no_value_and_warn_of_poles(project: Path, command: str) -> None:
    spec = project / "specs/mine.toml"
    spec.write_text(GOOD.replace("x * sigmoid(beta * x)", "beta * log(x)"))
    refused = run(command)
    assert refused.exit_code == 2
    assert "specs/mine.toml:3:22: log(x) is no real number at x = -1" in refused.stderr
    assert not (project / "generated").exists()
    spec.write_text(GOOD.replace("x * sigmoid(beta * x)", "beta / x"))
    warned = run(command)
    assert "specs/mine.toml:3:22: warning: the formula has no value at x = 0" in warned.stdout


def test_plot_writes_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "swish.png"
    result = run("plot", "swish", "--parameter", "beta=0.5,1,2", "--range", "-4", "3", "-o", str(path))
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(b"\x89PNG")


def test_build_check_and_build_again(project: Path) -> None:
    (project / "specs/mine.toml").write_text(FAST)
    stale = run("build", "--check")
    assert stale.exit_code == 1
    assert "+++ b/generated/torch/mine.py" in stale.stdout
    assert "generated is stale; run `actgen build`" in stale.stderr
    assert not (project / "generated").exists()
    assert run("build").exit_code == 0
    assert run("build", "--check", "--force").output.endswith("generated: 1 activations, up to date\n")
    edited = project / "generated/jax/mine.py"
    edited.write_text(edited.read_text() + "# mine\n")
    refused = run("build")
    assert refused.exit_code == 1
    assert "edited by hand since they were generated: generated/jax/mine.py" in refused.stderr
    assert run("build", "--overwrite").exit_code == 0
    assert run("build", "--check").exit_code == 0


def test_a_build_with_nothing_to_do_imports_nothing_heavy_and_takes_no_time(project: Path) -> None:
    (project / "specs/mine.toml").write_text(FAST)
    assert run("build").exit_code == 0
    script = (
        "import sys; from actgen.cli import main; main(['build'], standalone_mode=False);"
        "heavy = {'sympy', 'numpy', 'pydantic', 'flint', 'jinja2', 'rich', 'matplotlib', 'tree_sitter'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    seconds = []
    for _ in range(5):
        before = os.times()
        result = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
        after = os.times()
        # Processor time, which a busy machine does not stretch; with nothing else running it is the time waited.
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert result.stdout == "generated: 1 activations, up to date\n[]\n"
    assert min(seconds) < 0.5


def test_progress_is_plain_lines_where_nobody_watches(project: Path) -> None:
    (project / "specs/mine.toml").write_text(FAST)
    result = run("build")
    assert result.stderr == "[1/1] mine\n"
