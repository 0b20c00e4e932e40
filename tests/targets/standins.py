"""Kernels written by hand, for tests of the printers that must not wait for, or depend on, the derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.spec import Activation, load_spec
from actgen.symbolic.formula import Formula

SPECS = Path(__file__).parents[2] / "specs"
X = Variable("x")
ONE, TWO, ZERO = Constant(1.0), Constant(2.0), Constant(0.0)


def parameter(name: str) -> Variable:
    return Variable(name, is_parameter=True)


def add(a: Node, *others: Node) -> Node:
    for other in others:
        a = Call("add", (a, other))
    return a


def sub(a: Node, b: Node) -> Node:
    return Call("subtract", (a, b))


def mul(a: Node, *others: Node) -> Node:
    for other in others:
        a = Call("multiply", (a, other))
    return a


def div(a: Node, b: Node) -> Node:
    return Call("divide", (a, b))


def apply(operation: str, *operands: Node) -> Node:
    return Call(operation, operands)


@dataclass(frozen=True)
class StandInProperties:
    limits: tuple[str | None, str | None] = (None, None)
    limit_values: tuple[float | None, float | None] = (None, None)
    parity: str | None = None
    seams: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True)
class StandIn:
    """What targets read of a Derivation."""

    activation: Activation
    kernels: Mapping[tuple[str, ...], Kernel]
    formulas: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    properties: StandInProperties = StandInProperties()

    def but(self, **changes: Any) -> StandIn:
        """The same with fields of the activation changed."""
        return replace(self, activation=replace(self.activation, **changes))

    @property
    def formula(self) -> Formula:
        """The declared formula, of which targets read the names of the variables."""
        return Formula.of(self.activation)


def load(name: str) -> Activation:
    return load_spec(SPECS / f"{name}.toml")


def mish() -> StandIn:
    """With t = exp(-|x|), tanh(softplus(x)) is a ratio of quadratics in t."""
    t = apply("exp", apply("negate", apply("absolute", X)))
    is_positive = apply("greater_equal", X, ZERO)
    # tanh(log(1 + e^x)) = (e^2x + 2 e^x) / (e^2x + 2 e^x + 2); for x >= 0 divide by e^2x.
    n = apply("select", is_positive, add(ONE, mul(TWO, t)), mul(t, add(t, TWO)))
    d = apply("select", is_positive, add(ONE, mul(TWO, t), mul(TWO, apply("square", t))), add(TWO, mul(t, add(t, TWO))))
    value = Kernel(mul(X, div(n, d)), {t: "t"}, form="exponential normal form")
    w = apply("tanh", apply("log1p", apply("exp", X)))
    sech2 = sub(ONE, apply("square", w))
    s = apply("sigmoid", X)
    first = add(w, mul(X, s, sech2))
    second = mul(sech2, s, add(sub(TWO, mul(TWO, X, s, w)), mul(X, sub(ONE, s))))
    return StandIn(
        load("mish"),
        {(): value, ("x",): Kernel(first), ("x", "x"): Kernel(second)},
        {("x",): "tanh(softplus(x)) + x*sigmoid(x)*sech(softplus(x))**2"},
        StandInProperties(("0", "inf"), (None, float("inf"))),
    )


def leaky_relu() -> StandIn:
    slope = parameter("negative_slope")
    is_positive = apply("greater", X, ZERO)
    return StandIn(
        load("leaky_relu"),
        {
            (): Kernel(apply("select", is_positive, X, mul(slope, X))),
            ("x",): Kernel(apply("select", is_positive, ONE, slope)),
            ("negative_slope",): Kernel(apply("minimum", X, ZERO)),
            ("x", "negative_slope"): Kernel(apply("select", is_positive, ZERO, ONE)),
        },
        {("x",): "1 for x > 0, negative_slope elsewhere"},
        StandInProperties(("-inf", "inf"), (-float("inf"), float("inf")), kinks=(0.0,)),
    )


def prelu() -> StandIn:
    like = leaky_relu()
    alpha, slope = parameter("alpha"), parameter("negative_slope")

    def renamed(node: Node) -> Node:
        if isinstance(node, Call):
            return Call(node.operation, tuple(map(renamed, node.arguments)))
        return alpha if node == slope else node

    kernels = {
        tuple("alpha" if name == "negative_slope" else name for name in key): Kernel(renamed(kernel.result))
        for key, kernel in like.kernels.items()
    }
    return StandIn(load("prelu"), kernels, {}, like.properties)


def swish() -> StandIn:
    beta = parameter("beta")
    z = mul(beta, X)
    s, c = apply("sigmoid", z), apply("sigmoid", apply("negate", z))
    common = mul(s, c, add(TWO, mul(z, sub(c, s))))
    return StandIn(
        load("swish"),
        {
            (): Kernel(mul(X, s)),
            ("x",): Kernel(mul(s, add(ONE, mul(z, c)))),
            ("beta",): Kernel(mul(s, c, apply("square", X))),
            ("x", "x"): Kernel(mul(beta, common)),
            ("x", "beta"): Kernel(mul(X, common)),
            ("beta", "beta"): Kernel(mul(apply("square", X), X, s, c, sub(c, s))),
        },
        {("x",): "sigmoid(beta*x)*(1 + beta*x*sigmoid(-beta*x))"},
        StandInProperties(("0", "inf"), (None, float("inf"))),
    )


def step() -> StandIn:
    """The derivative is a surrogate."""
    d = add(ONE, apply("absolute", X))
    return StandIn(
        load("step"),
        {
            (): Kernel(apply("select", apply("greater", X, ZERO), ONE, ZERO)),
            ("x",): Kernel(div(ONE, apply("square", d))),
            ("x", "x"): Kernel(div(mul(Constant(-2.0), apply("sign", X)), mul(d, apply("square", d)))),
        },
        {("x",): "1/(1 + Abs(x))**2"},
        StandInProperties(("0", "1"), (0.0, 1.0), kinks=(0.0,)),
    )


def squareplus() -> StandIn:
    b = parameter("b")
    root = apply("sqrt", add(apply("square", X), b))
    half = Constant(0.5)
    cube = mul(root, apply("square", root))
    return StandIn(
        load("squareplus"),
        {
            (): Kernel(mul(half, add(X, root))),
            ("x",): Kernel(mul(half, add(ONE, div(X, root)))),
            ("b",): Kernel(div(Constant(0.25), root)),
            ("x", "x"): Kernel(div(mul(half, b), cube)),
            ("x", "b"): Kernel(div(mul(Constant(-0.25), X), cube)),
            ("b", "b"): Kernel(div(Constant(-0.125), cube)),
        },
        {},
        StandInProperties(("0", "inf"), (None, float("inf"))),
    )


def relu() -> StandIn:
    return StandIn(
        load("relu"),
        {
            (): Kernel(apply("maximum", X, ZERO)),
            ("x",): Kernel(apply("select", apply("greater", X, ZERO), ONE, ZERO)),
        },
        {("x",): "1 for x > 0, 0 elsewhere"},
        StandInProperties(("0", "inf"), (0.0, float("inf")), kinks=(0.0,)),
    )


def repu() -> StandIn:
    """By s it overflows at numbers at which it does not by x."""
    s = parameter("s")
    held = apply("maximum", X, ZERO)
    power = apply("power", held, s)
    log = apply("log", apply("maximum", X, Constant(2.0**-126)))
    less, least = (apply("power", held, sub(s, Constant(float(k)))) for k in (1, 2))
    return StandIn(
        load("repu"),
        {
            (): Kernel(power),
            ("x",): Kernel(mul(s, less)),
            ("s",): Kernel(mul(power, log)),
            ("x", "x"): Kernel(mul(s, sub(s, ONE), least)),
            ("x", "s"): Kernel(mul(less, add(ONE, mul(s, log)))),
            ("s", "s"): Kernel(mul(power, apply("square", log))),
        },
        {},
        StandInProperties(("0", "inf"), (0.0, float("inf")), kinks=(0.0,)),
    )


ALL = (mish, leaky_relu, prelu, swish, step, squareplus, relu, repu)
