"""The emitted PyTorch files: their text, their package, their layers."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from actgen.targets import Context
from actgen.targets.torch import target
from tests.targets import standins

EVIL = '"""\nimport os\n"""\\N{BELL} \\" \u202e {{ 7*7 }} {x} %s \\u0041 """'


@pytest.mark.parametrize("make", standins.ALL)
def test_text_of_a_spec_is_inert_whatever_it_holds(make: Any) -> None:
    derivation = make()
    plain = target.emit(derivation, Context())
    evil = derivation.but(title=EVIL, summary=EVIL, expression_text=EVIL, path=EVIL)
    (text,) = target.emit(evil, Context()).values()
    assert shape(text) == shape(next(iter(plain.values())))
    assert "49" not in text


def shape(source: str) -> str:
    """The code without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def test_importing_one_name_imports_only_its_module(emitted: ModuleType) -> None:
    code = (
        "import sys; from handmade.torch import Mish, mish;"
        "ours = sorted(m for m in sys.modules if m.startswith('handmade.torch.'));"
        "print(ours, callable(mish), 'sympy' in sys.modules)"
    )
    folder = Path(str(emitted.__file__)).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['handmade.torch.mish'] True False"


def test_a_submodule_never_hides_the_function(emitted: ModuleType) -> None:
    module = importlib.import_module("handmade.torch.squareplus")
    assert emitted.squareplus is module.squareplus
    assert emitted.Squareplus is module.Squareplus
    assert "squareplus" in dir(emitted)
    assert set(emitted.__all__) >= {"mish", "Mish", "heaviside", "binary_step", "PReLU"}
    with pytest.raises(AttributeError, match="no attribute 'relu7'"):
        _ = emitted.relu7


def test_aliases_are_the_function(emitted: ModuleType) -> None:
    assert emitted.heaviside is emitted.step


def test_channels_lie_on_axis_one(emitted: ModuleType) -> None:
    layer, theirs = emitted.PReLU(3), torch.nn.PReLU(3)
    with torch.no_grad():
        for parameter in (layer.alpha, theirs.weight):
            parameter.copy_(torch.tensor([0.1, 0.2, 0.3]))
    for x in (torch.randn(2, 3), torch.randn(2, 3, 4), torch.randn(2, 3, 4, 5)):
        torch.testing.assert_close(layer(x), theirs(x))
    for x in (torch.randn(3), torch.randn(2, 4)):
        with pytest.raises(ValueError, match="3 channels on axis 1"):
            layer(x)
    assert emitted.PReLU()(torch.tensor(-1.0)).shape == ()
    assert repr(layer) == "PReLU(num_parameters=3, alpha=0.25)"


def test_parameters_are_real_parameters(emitted: ModuleType) -> None:
    layer = emitted.Swish(1.5, device="meta", dtype=torch.bfloat16).to_empty(device="cpu")
    layer.reset_parameters()
    assert layer.state_dict().keys() == {"beta"}
    assert layer.beta.dtype == torch.bfloat16
    assert layer.beta.tolist() == [1.5]


def test_numbers_outside_the_domain_are_refused(emitted: ModuleType) -> None:
    for bad in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="b must be positive, got"):
            emitted.squareplus(torch.zeros(1), bad)
        with pytest.raises(ValueError, match="b must be positive, got"):
            emitted.Squareplus(bad)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_what_is_not_floating_is_refused_as_torch_refuses_it(emitted: ModuleType, dtype: Any) -> None:
    for f in (emitted.mish, emitted.leaky_relu, emitted.step):
        with pytest.raises(NotImplementedError, match=str(dtype)):
            f(torch.zeros(2, dtype=dtype))


def test_half_types_are_rounded_once(emitted: ModuleType) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        x = torch.linspace(-8, 8, 2001).to(dtype).requires_grad_()
        wide = x.detach().float().requires_grad_()
        y, exact = emitted.mish(x), emitted.mish(wide)
        assert torch.equal(y, exact.to(dtype))
        weights = torch.rand_like(x)
        y.backward(weights)
        exact.backward(weights.float())
        assert x.grad is not None
        assert wide.grad is not None
        assert torch.equal(x.grad, wide.grad.to(dtype))


def test_strides_and_empty_tensors_are_kept(emitted: ModuleType) -> None:
    x = torch.randn(4, 6).T[::2].requires_grad_()
    emitted.swish(x, 0.5).sum().backward()
    assert emitted.mish(torch.empty(0, 3, requires_grad=True)).shape == (0, 3)


def test_a_wrong_call_in_the_table_changes_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from actgen.targets.torch import printer

    right = value(standins.mish())
    monkeypatch.setattr(printer, "UNARY", {**printer.UNARY, "exp": "expm1"})
    monkeypatch.setattr(printer, "IN_PLACE", {**printer.IN_PLACE, "exp": "expm1_"})
    assert not torch.allclose(value(standins.mish()), right)


def value(derivation: Any) -> Any:
    scope: dict[str, Any] = {"__name__": "mutant"}
    (text,) = target.emit(derivation, Context()).values()
    # Our own text; it does not inherit this file's `from __future__`.
    exec(compile(text, "mutant", "exec", dont_inherit=True), scope)
    return scope[derivation.activation.name](torch.linspace(-3, 3, 7))
