"""What the emitted PyTorch code promises about differentiation, transforms and compilation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from onnx.reference import ReferenceEvaluator

# torch 2.13's own, November 2026: the first use of forward mode; any autograd.Function under Dynamo.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

PLAIN: dict[str, Callable[..., Any]] = {
    "mish": lambda x: x * torch.tanh(torch.nn.functional.softplus(x)),
    "swish": lambda x, beta: x * torch.sigmoid(beta * x),
    "squareplus": lambda x, b: (x + torch.sqrt(x * x + b)) / 2,
    "leaky_relu": lambda x, slope: torch.where(x > 0, x, slope * x),
    "relu": torch.relu,
}
PARAMETER = {"swish": 0.7, "squareplus": 2.0, "leaky_relu": 0.1}


def inputs(name: str) -> tuple[Any, ...]:
    """x and, if the activation has one, a parameter that x broadcasts against."""
    x = torch.linspace(-2.9, 3.1, 12, dtype=torch.float64).reshape(3, 4)
    if name not in PARAMETER:
        return (x,)
    return x, PARAMETER[name] + torch.arange(4, dtype=torch.float64) / 10


def leaves(name: str) -> tuple[Any, ...]:
    return tuple(t.clone().requires_grad_() for t in inputs(name))


@pytest.mark.parametrize("name", PLAIN)
def test_the_value_and_the_gradients_are_right(emitted: ModuleType, name: str) -> None:
    f = getattr(emitted, name)
    mine, theirs = leaves(name), leaves(name)
    y, expected = f(*mine), PLAIN[name](*theirs)
    torch.testing.assert_close(y, expected)
    weights = torch.rand_like(y)
    for got, wanted in zip(
        torch.autograd.grad(y, mine, weights), torch.autograd.grad(expected, theirs, weights), strict=True
    ):
        torch.testing.assert_close(got, wanted)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
@pytest.mark.parametrize("name", [*PLAIN, "prelu", "step"])
def test_gradcheck_passes_in_every_mode(emitted: ModuleType, name: str) -> None:
    f = getattr(emitted, name)
    if name == "step":  # its derivative is a surrogate: only the derivative of that is a derivative

        def f(x: Any, f: Any = f) -> Any:
            return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]

    at = leaves("leaky_relu") if name == "prelu" else leaves(name)
    options = {"check_forward_ad": name != "step", "check_batched_grad": True}
    assert torch.autograd.gradcheck(f, at, check_batched_forward_grad=name != "step", **options)
    if name != "step":
        assert torch.autograd.gradgradcheck(f, at, check_fwd_over_rev=True, check_rev_over_rev=True)


@pytest.mark.parametrize("name", ["mish", "swish", "squareplus"])
def test_the_third_derivative_is_right(emitted: ModuleType, name: str) -> None:
    def second(*at: Any) -> Any:
        first = torch.autograd.grad(getattr(emitted, name)(*at).sum(), at[0], create_graph=True)[0]
        return torch.autograd.grad(first.sum(), at[0], create_graph=True)[0]

    assert torch.autograd.gradcheck(second, leaves(name))


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("name", ["mish", "swish", "leaky_relu"])
def test_nested_transforms_agree_with_plain_operations(emitted: ModuleType, name: str, depth: int) -> None:
    at = inputs(name)
    x, rest = at[0][1], at[1:]
    transforms: tuple[Any, ...] = (torch.func.jacfwd, torch.func.jacrev)
    for nest in itertools.product(transforms, repeat=depth):
        for place in range(len(at)):
            mine: Any = partial(call, getattr(emitted, name), x, rest, place)
            theirs: Any = partial(call, PLAIN[name], x, rest, place)
            for transform in nest:
                mine, theirs = transform(mine), transform(theirs)
            point = (x, *rest)[place][:2]
            torch.testing.assert_close(mine(point), theirs(point), msg=f"{nest} by input {place}")


def call(f: Callable[..., Any], x: Any, rest: tuple[Any, ...], place: int, variable: Any) -> Any:
    arguments = [t[:2] for t in (x, *rest)]
    arguments[place] = variable
    return f(*arguments)


@pytest.mark.parametrize("name", ["swish", "squareplus", "leaky_relu"])
def test_vmap_over_any_of_the_inputs_agrees_with_a_loop(emitted: ModuleType, name: str) -> None:
    f, (x, parameter) = getattr(emitted, name), inputs(name)
    vmap, grad = torch.func.vmap, torch.func.grad
    both = grad(f, argnums=(0, 1))
    for axes, arguments in (
        ((0, None), (x[1], parameter[1])),
        ((None, 0), (x[1, 2], parameter)),
        ((0, 0), (x[1], parameter)),
    ):
        count = 4
        for g in (f, both, torch.func.hessian(f)):
            got = vmap(g, axes)(*arguments)
            rows = [
                g(*(t[i] if axis == 0 else t for t, axis in zip(arguments, axes, strict=True))) for i in range(count)
            ]
            expected = torch.utils._pytree.tree_map(lambda *r: torch.stack(r), *rows)
            torch.testing.assert_close(got, expected)
    with torch.no_grad():
        torch.testing.assert_close(
            vmap(grad(f), (0, None))(x[1], parameter[1]), torch.stack([grad(f)(v, parameter[1]) for v in x[1]])
        )
    through = grad(lambda v: vmap(f, (0, None))(v, parameter[1]).sum())
    torch.testing.assert_close(through(x[1]), torch.stack([grad(f)(v, parameter[1]) for v in x[1]]))


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
@pytest.mark.parametrize("name", ["mish", "swish"])
def test_it_compiles_whole_forward_and_backward(emitted: ModuleType, name: str, backend: str) -> None:
    torch._dynamo.reset()
    f, at, plain = getattr(emitted, name), leaves(name), leaves(name)
    compiled: Any = torch.compile(f, fullgraph=True, backend=backend)
    y = compiled(*at)
    expected = PLAIN[name](*plain)
    torch.testing.assert_close(y, expected)
    weights = torch.rand_like(y)
    got = torch.autograd.grad(y, at, weights)
    for mine, theirs in zip(got, torch.autograd.grad(expected, plain, weights), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("name", ["mish", "swish"])
def test_transforms_inside_a_compiled_function_are_right(emitted: ModuleType, name: str) -> None:
    torch._dynamo.reset()
    at = tuple(t[0, 0] if t.ndim == 2 else t[0] for t in inputs(name))
    points = inputs(name)[0][1]
    f, plain = getattr(emitted, name), PLAIN[name]
    func = torch.func
    transforms: list[Callable[..., Any]] = [
        lambda g: func.vmap(func.grad(lambda v: g(v, *at[1:]))),
        lambda g: lambda v: func.jvp(lambda w: g(w, *at[1:]), (v,), (v,))[1],
    ]
    if name == "mish":
        transforms.append(lambda g: func.vmap(func.grad(func.grad(g))))
    for make in transforms:
        compiled: Any = torch.compile(make(f), fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(points), make(plain)(points))


@pytest.mark.parametrize("is_compiled", [False, True])
def test_where_the_slope_by_a_parameter_is_infinite_nothing_else_is(emitted: ModuleType, is_compiled: bool) -> None:
    """No tangent is not 0 times infinity, which is nan."""
    torch._dynamo.reset()
    x, slopes = torch.tensor([2.0, 1e13]), torch.tensor([12.0, 3e26])
    func, f = torch.func, emitted.repu
    transforms: list[Callable[..., Any]] = [
        lambda v: func.jvp(f, (v,), (torch.ones_like(v),))[1],
        func.vmap(func.grad(f)),
    ]
    for transform in transforms:
        run: Any = torch.compile(transform, fullgraph=True, backend="aot_eager") if is_compiled else transform
        torch.testing.assert_close(run(x), slopes)
    assert f(x, 3.0)[1] == torch.inf
    assert func.grad(lambda s: f(x, s)[1])(torch.tensor(3.0)) == torch.inf


def test_a_gradient_that_nothing_uses_is_none(emitted: ModuleType) -> None:
    """What comes after may give back no gradient; the rule for transforms is handed that as it is."""

    class Ends(torch.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x.clone()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None: ...

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> None:
            return None

    apply: Any = Ends.apply
    slope = torch.func.grad(lambda x: apply(emitted.repu(x)).sum() + x.sum())(torch.tensor([1.0, 1e13]))
    assert torch.equal(slope, torch.ones(2))


def test_a_changing_hyperparameter_needs_no_graph_break(emitted: ModuleType) -> None:
    torch._dynamo.reset()
    compiled: Any = torch.compile(emitted.leaky_relu, fullgraph=True, backend="aot_eager")
    x = torch.linspace(-1, 1, 5)
    for slope in (0.1, 0.2, 0.3):
        torch.testing.assert_close(compiled(x, slope), torch.nn.functional.leaky_relu(x, slope))


class Net(torch.nn.Module):
    def __init__(self, package: ModuleType) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            package.PReLU(4), package.Swish(0.8), package.Mish(), package.LeakyReLU(0.2), package.Squareplus(1.5)
        )

    def forward(self, x: Any) -> Any:
        return self.layers(x)


@pytest.mark.filterwarnings("ignore")  # torch's own, of its exporter
def test_a_network_exports_with_a_dynamic_batch(emitted: ModuleType) -> None:
    net, x = Net(emitted).eval(), torch.randn(3, 4)
    for strict in (True, False):
        program = torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim("n")},), strict=strict)
        other = torch.randn(5, 4)
        torch.testing.assert_close(program.run_decompositions().module()(other), net(other))


@pytest.mark.filterwarnings("ignore")  # torch's own, of its exporter
def test_a_network_exports_to_onnx_and_gives_the_same(emitted: ModuleType) -> None:
    net, x = Net(emitted).eval(), torch.randn(3, 4)
    program = torch.onnx.export(net, (x,), dynamo=True, verbose=False)
    assert program is not None
    session = ReferenceEvaluator(program.model_proto)
    (got,) = session.run(None, {session.input_names[0]: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(got), net(x).detach())


@pytest.mark.parametrize("reentrant", [True, False])
def test_it_works_under_checkpointing(emitted: ModuleType, reentrant: bool) -> None:
    x, beta = leaves("swish")
    checkpoint = torch.utils.checkpoint.checkpoint
    y = checkpoint(emitted.swish, x, beta, use_reentrant=reentrant)
    y.sum().backward()
    expected = torch.func.grad(lambda *at: PLAIN["swish"](*at).sum(), argnums=(0, 1))(x.detach(), beta.detach())
    torch.testing.assert_close((x.grad, beta.grad), expected)


def test_under_autocast_it_keeps_the_type_of_its_input(emitted: ModuleType) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for dtype in (torch.float32, torch.bfloat16):
            x = torch.randn(8, dtype=dtype, requires_grad=True)
            y = emitted.swish(x, torch.tensor(1.5, requires_grad=True))
            y.sum().backward()
            assert x.grad is not None
            assert y.dtype == x.grad.dtype == dtype


def test_only_the_inputs_are_kept_in_their_own_type(emitted: ModuleType) -> None:
    kept: list[Any] = []

    def keep(tensor: Any) -> Any:
        kept.append(tensor)
        return tensor

    x = torch.randn(1000, dtype=torch.bfloat16, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        emitted.mish(x)
        emitted.leaky_relu(x, 0.3)
    assert {t.data_ptr() for t in kept if t.ndim} == {x.data_ptr()}
    assert all(t.dtype == torch.bfloat16 for t in kept if t.ndim)


def test_no_function_is_recorded_when_no_gradient_is_wanted(emitted: ModuleType) -> None:
    x = torch.randn(4, requires_grad=True)
    assert emitted.mish(x.detach()).grad_fn is None
    with torch.no_grad():
        assert emitted.mish(x).grad_fn is None
    assert "_Mish" in type(emitted.mish(x).grad_fn).__name__


def test_gradients_nobody_asks_for_are_not_computed(emitted: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module(f"{emitted.__name__}.swish")
    asked = []
    derivative = module._derivative

    def listen(by: str, *at: Any) -> Any:
        asked.append(by)
        return derivative(by, *at)

    monkeypatch.setattr(module, "_derivative", listen)
    x, beta = leaves("swish")
    emitted.swish(x.detach(), beta).sum().backward()
    assert asked == ["", "beta"]


def test_parameters_of_a_larger_shape_than_the_input_get_their_gradients(emitted: ModuleType) -> None:
    x = torch.linspace(-1, 2, 3, dtype=torch.float64, requires_grad=True)
    alpha = torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(emitted.prelu, (x, alpha))
    assert torch.autograd.gradgradcheck(emitted.prelu, (x, alpha))


def test_forward_mode_through_vmap_nests(emitted: ModuleType) -> None:
    def along(g: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda v: torch.func.jvp(g, (v,), (torch.ones_like(v),))[1]

    x = torch.linspace(-2, 2, 5, dtype=torch.float64)
    vmap: Any = torch.func.vmap
    grad: Any = torch.func.grad
    for f, plain in (
        (emitted.mish, PLAIN["mish"]),
        (lambda v: emitted.swish(v, torch.tensor(0.6)), lambda v: PLAIN["swish"](v, torch.tensor(0.6))),
    ):
        for nest in (
            lambda g: along(vmap(g)),
            lambda g: along(along(vmap(g))),
            lambda g: along(vmap(along(g))),
            lambda g: along(vmap(grad(g))),
            lambda g: vmap(along(along(along(g)))),
        ):
            torch.testing.assert_close(nest(f)(x), nest(plain)(x))
