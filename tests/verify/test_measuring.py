"""The generated code, run in the frameworks: as it is it passes, with a mistake in it it does not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

from actgen.build import Settings
from actgen.numerics.contract import FORMATS
from actgen.spec import SpecError
from actgen.verify.measuring import Sample, run
from actgen.verify.record import Entry, Measured, Place, Record
from actgen.verify.state import Store
from actgen.verify.support import supported
from actgen.verify.table import missed

# 2026-11: torch 2.13's own, when Inductor is imported and at any autograd.Function under Dynamo.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

Break = Callable[[str, str, str], None]


def measure(
    project: Settings,
    name: str,
    framework: str,
    mode: str = "eager",
    dtype: str = "float32",
    orders: tuple[int, ...] = (0, 1, 2),
) -> Entry:
    folder = project.root / "state"
    keys = {(mode, dtype): "key"}
    module = project.out / framework / f"{name}.py"
    run(Sample(framework, project.specs / f"{name}.toml", module, keys, orders, folder, 512))
    entry = Store(folder).read("key")
    assert entry is not None
    return entry


def declare(project: Settings, framework: str, builtin: str) -> None:
    """Say in the spec that a function of the framework is the same."""
    path = project.specs / "swish.toml"
    text = path.read_text().partition("[builtins]")[0]
    path.write_text(f"{text}[builtins]\n{framework} = {builtin}\n")


def told(entry: Entry, dtype: str = "float32", name: str = "swish") -> str:
    place = Place(name, "torch", "eager", dtype)
    return "\n".join(missed(Record({place: Measured(entry, "", "", 0)})))


@pytest.mark.parametrize(
    ("framework", "mode", "dtype"),
    [
        ("torch", "eager", "float32"),
        ("torch", "compiled", "float32"),
        ("jax", "compiled", "float64"),
        ("keras", "eager", "bfloat16"),
        ("keras", "compiled", "float32"),
    ],
)
def test_right_code_keeps_the_contract_beside_a_builtin_that_does_not(
    project: Settings, framework: str, mode: str, dtype: str
) -> None:
    entry = measure(project, "swish", framework, mode, dtype)
    quantities = {"value", "d/dx", "d/dbeta"} | ({"d2/dx2"} if (framework, mode) != ("torch", "compiled") else set())
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


@pytest.mark.parametrize(
    ("orders", "quantities"),
    [((0,), {"value"}), ((1,), {"d/dx", "d/dbeta"}), ((0, 2), {"value", "d2/dx2"})],
)
def test_derivatives_by_parameters_come_with_the_first(
    project: Settings, orders: tuple[int, ...], quantities: set[str]
) -> None:
    entry = measure(project, "swish", "torch", orders=orders)
    assert {quantity for quantity, _ in entry.cells} == quantities
    assert {setting for _, setting in entry.cells} == {"", "sampled"}


def test_a_derivative_that_is_a_number_need_not_be_nan_for_nan(project: Settings) -> None:
    text = (project.specs / "relu.toml").read_text().partition("[builtins]")[0]
    spec = re.sub("expression = .*", 'expression = "3 * x"', text)
    (project.specs / "triple.toml").write_text(re.sub("class_name.*|aliases.*", "", spec))
    (project.out / "torch/triple.py").write_text("def triple(x):\n    return 3 * x\n")
    entry = measure(project, "triple", "torch")
    assert {quantity for quantity, _ in entry.cells} == {"value", "d/dx", "d2/dx2"}
    assert told(entry, name="triple") == ""


@pytest.mark.parametrize(
    ("error", "at_defaults", "elsewhere"), [(1e-38, False, False), (1e-37, True, False), (3e-37, True, True)]
)
def test_near_underflow_a_smallest_normal_number_is_free_and_elsewhere_sixteen(
    project: Settings, break_it: Break, error: float, at_defaults: bool, elsewhere: bool
) -> None:
    break_it("torch", "swish", f"torch.where(x.abs() < 1e-38, y + {error}, y)")
    cells = measure(project, "swish", "torch").cells
    form = FORMATS["float32"]
    assert cells["value", ""].ours.keeps(form) is not at_defaults
    assert cells["value", "sampled"].ours.keeps(form) is not elsewhere


@pytest.mark.parametrize(
    ("framework", "wrong", "complaint"),
    [
        ("torch", "y + 1.0 * torch.compiler.is_compiling()", "relu value in"),
        (
            "torch",
            "(torch._dynamo.graph_break(), y)[1]",
            "does not run: Unsupported: Call to `torch._dynamo",
        ),
        ("jax", "y if bool((x != 0).any()) else y", "does not run: TracerBoolConversionError"),
        ("keras", "y if __import__('tensorflow').executing_eagerly() else 2 * y", "relu value in"),
        (
            "keras",
            "y + __import__('tensorflow').numpy_function(lambda a: a.clip(0, 0), [x], x.dtype)",
            "does not run: InvalidArgumentError: Detected unsupported operations when trying to compile",
        ),
    ],
    ids=["as if eager", "not in one graph", "not of traced values", "as if eager", "not by XLA"],
)
def test_compiled_is_compiled_in_one_graph(
    project: Settings, break_it: Break, framework: str, wrong: str, complaint: str
) -> None:
    break_it(framework, "relu", wrong)
    assert told(measure(project, "relu", framework), name="relu") == ""
    assert complaint in told(measure(project, "relu", framework, "compiled"), name="relu")


def test_a_builtin_is_called_as_the_spec_says_and_held_to_the_same_values(project: Settings) -> None:
    declare(project, "torch", '"torch.nn.functional.relu"')
    builtin = measure(project, "swish", "torch").cells["value", ""].builtin
    assert builtin is not None
    assert builtin.units > 1e6
    declare(project, "torch", '{ name = "torch.nn.functional.silu", arguments = { inplace = false } }')
    builtin = measure(project, "swish", "torch").cells["value", ""].builtin
    assert builtin is not None
    assert builtin.units < 4
    declare(project, "torch", '{ name = "torch.nn.functional.softplus", arguments = { beta = 50.0 } }')
    one = measure(project, "swish", "torch").cells["value", ""].builtin
    declare(project, "torch", '"torch.nn.functional.softplus"')
    assert measure(project, "swish", "torch").cells["value", ""].builtin != one


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounding_a_half_twice_is_found(project: Settings, break_it: Break, dtype: str) -> None:
    break_it("torch", "swish", "x * torch.sigmoid(x * (args[0] if args else kwargs.get('beta', 1.0)))")
    assert "swish value in" in told(measure(project, "swish", "torch", dtype=dtype), dtype)


@pytest.mark.parametrize(
    ("framework", "mode"),
    [("torch", "eager"), ("torch", "compiled"), ("jax", "eager"), ("jax", "compiled"), ("keras", "eager")],
)
@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        ("len(3)", "TypeError: object of type 'int' has no len()"),
        ("int('x')", "ValueError: invalid literal for int() with base 10: 'x'"),
        ("{}['x']", "KeyError: 'x'"),
        ("raise_it(RuntimeError('derivative for aten::x is not implemented'))", "RuntimeError: derivative for aten::x"),
        ("raise_it(NotImplementedError('no rule'))", "NotImplementedError: no rule"),
        ("raise_it(LookupError('gradient registry has no entry for: X'))", "LookupError: gradient registry has no"),
    ],
)
def test_an_error_that_generated_code_raises_is_told_with_its_traceback(
    project: Settings, break_it: Break, framework: str, mode: str, mistake: str, error: str
) -> None:
    """Even one by which a framework would say that it has no such derivative of its own."""
    break_it(framework, "swish", mistake)
    path = project.out / framework / "swish.py"
    path.write_text(f"{path.read_text()}\n\ndef raise_it(error):\n    raise error\n")
    entry = measure(project, "swish", framework, mode)
    assert entry.cells == {}
    first, _, traceback = told(entry).partition("\n")
    if (framework, mode) == ("torch", "compiled"):
        assert "does not run: Unsupported: " in first  # Dynamo makes an error of its own of it
    else:
        assert f"does not run: {error}" in first
    assert "Traceback (most recent call last)" in traceback
    assert "swish.py" in traceback


def test_a_second_derivative_that_only_ours_lacks_is_no_second_derivative_left_out(
    project: Settings, break_it: Break
) -> None:
    break_it("torch", "swish", "y + 0 * torch.nn.functional.hardsigmoid(x)")
    entry = measure(project, "swish", "torch")
    assert entry.failure == "RuntimeError: derivative for aten::hardsigmoid_backward is not implemented"
    assert entry.cells == {}


@pytest.mark.parametrize(
    ("framework", "builtin"),
    [("torch", '"torch.nn.functional.hardsigmoid"'), ("keras", '"keras.activations.softsign"')],
)
def test_a_builtin_without_a_second_derivative_is_compared_as_far_as_it_goes(
    project: Settings, framework: str, builtin: str
) -> None:
    declare(project, framework, builtin)
    entry = measure(project, "swish", framework)
    compared = {quantity for (quantity, setting), cell in entry.cells.items() if cell.builtin is not None}
    assert compared == {"value", "d/dx"}
    assert entry.failure == ""


RUNS_NOT = "; correct its name or its arguments, or take it out of [builtins]"
IS_NOT_ELEMENTWISE = "gives no array of the shape and type of its input; name an elementwise function, or take it out"
SLOPE = "unexpected keyword argument 'slope'" + RUNS_NOT


@pytest.mark.parametrize(
    ("framework", "builtin", "complaint"),
    [
        ("torch", '{ name = "torch.nn.functional.silu", arguments = { slope = 2 } }', SLOPE),
        ("jax", '{ name = "jax.nn.silu", arguments = { slope = 2 } }', SLOPE),
        ("keras", '{ name = "keras.activations.silu", arguments = { slope = 2 } }', SLOPE),
        ("torch", '{ name = "torch.nn.functional.silu", arguments = { inplace = true } }', "in-place operation"),
        ("torch", '{ name = "torch.nn.functional.gelu", arguments = { approximate = "x" } }', "none or tanh"),
        ("torch", '"torch.nn.functional.prelu"', "prelu does not run in eager mode: TypeError: prelu() missing 1"),
        ("torch", '"torch.nn.functional.sillu"', "torch.nn.functional has no sillu; did you mean 'silu'?"),
        ("keras", '"keras.ops.no_such"', "keras.ops has no no_such; correct its name, or take it out of [builtins]"),
        ("jax", '"jax.numpy.sum"', IS_NOT_ELEMENTWISE),
        ("jax", '"jax.numpy.isnan"', IS_NOT_ELEMENTWISE),
        ("keras", '"keras.ops.shape"', IS_NOT_ELEMENTWISE),
    ],
)
def test_a_builtin_that_cannot_be_measured_is_a_mistake_in_the_spec(
    project: Settings, framework: str, builtin: str, complaint: str
) -> None:
    declare(project, framework, builtin)
    with pytest.raises(SpecError) as raised:
        measure(project, "swish", framework)
    head, line, caret = str(raised.value).splitlines()
    number = len((project.specs / "swish.toml").read_text().splitlines())
    assert head.startswith(f"specs/swish.toml:{number}:{len(framework) + 4}: ")
    assert complaint in head
    assert line == f"  {framework} = {builtin}"
    assert caret.strip() == "^" * len(builtin)


def test_compiled_code_has_no_second_derivative_in_pytorch() -> None:
    """If this fails, PyTorch has learnt it: measure it, and take it out of what the page says is left out."""
    x = torch.ones(3, requires_grad=True)
    y = torch.compile(torch.sin, backend="aot_eager")(x)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    with pytest.raises(
        RuntimeError, match=r"torch\.compile with aot_autograd does not currently support double backward"
    ):
        torch.autograd.grad(slope.sum(), x)
    assert supported((0, 1, 2), "torch", "compiled") == (0, 1)
    assert supported((0, 1, 2), "torch", "eager") == (0, 1, 2)


def test_a_hyperparameter_is_a_number_in_keras_and_has_no_derivative(project: Settings) -> None:
    text = (project.specs / "swish.toml").read_text()
    assert "trainable = true\n" in text
    (project.specs / "swish.toml").write_text(text.replace("trainable = true\n", "").replace('shape = "scalar"\n', ""))
    entry = measure(project, "swish", "keras")
    assert {quantity for quantity, _ in entry.cells} == {"value", "d/dx", "d2/dx2"}
    assert entry.cells["value", "sampled"].ours.setting.startswith("beta = ")
    assert entry.cells["value", "sampled"].ours.keeps(FORMATS["float32"])
