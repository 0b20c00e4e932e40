"""What a trainable activation is in each framework: made, called, trained and set, in the same words for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

FRAMEWORKS = ("torch", "keras", "jax", "flax", "equinox")
MODULES = ("torch", "keras", "flax", "equinox")

DOMAINS = {
    # The class, its domain, its default, and a value that the domain does not have, to train towards.
    "Positive": ("positive", 0.25, -1.0),
    "Nonnegative": ("nonnegative", 0.0, -1.0),
    "Negative": ("negative", -0.5, 1.0),
    "Nonpositive": ("nonpositive", 0.0, 1.0),
    "AboveOne": ("(1, inf)", 1.5, -1.0),
    "Open": ("(0, 1)", 0.25, 3.0),
    "OpenAcross": ("(-1, 3)", 0.25, 9.0),
    "Closed": ("[0, 1]", 0.0, -3.0),
    "OpenBelow": ("(0, 2]", 0.5, 4.0),
    "OpenAbove": ("[-1, 1)", -1.0, -4.0),
}
"""Of every kind: half-lines and intervals, open and closed at either end, with defaults at a closed end."""

X = np.linspace(-3, 3, 24, dtype=np.float32).reshape(2, 3, 4)
"""Three channels on axis 1, four on the last."""


class Trained(Protocol):
    """A module of one framework, told apart from no other."""

    module: Any

    def value(self, name: str = "alpha") -> np.ndarray:
        """The value of a parameter."""
        ...

    def value_at(self, raw: float) -> np.ndarray:
        """The value of alpha that is made of a raw number; Keras has none."""
        ...

    def call(self, x: np.ndarray) -> np.ndarray:
        """The module of x."""
        ...

    def gradients(self, x: np.ndarray) -> list[np.ndarray]:
        """The derivative of the sum of the module of x by each trainable parameter."""
        ...

    def load(self, values: Mapping[str, Any]) -> None:
        """Set parameters."""
        ...

    def values(self) -> dict[str, Any]:
        """All values, as the module gives them."""
        ...


class InTorch:
    def __init__(self, package: ModuleType, name: str, channels: int = 0, **arguments: Any) -> None:
        shape = {"num_parameters": channels, "channel_axis": -1} if channels else {}
        self.module = getattr(package, name)(**shape, **arguments)

    def value(self, name: str = "alpha") -> np.ndarray:
        return np.asarray(getattr(self.module, name).detach())

    def value_at(self, raw: float) -> np.ndarray:
        import torch

        torch.nn.init.constant_(self.module.raw_alpha, raw)
        return self.value()

    def call(self, x: np.ndarray) -> np.ndarray:
        import torch

        return np.asarray(self.module(torch.from_numpy(x)).detach())

    def gradients(self, x: np.ndarray) -> list[np.ndarray]:
        import torch

        self.module.zero_grad()
        self.module(torch.from_numpy(x)).sum().backward()
        return [np.asarray(parameter.grad) for parameter in self.module.parameters()]

    def load(self, values: Mapping[str, Any]) -> None:
        self.module.load_parameter_values(values)

    def values(self) -> dict[str, Any]:
        return dict(self.module.parameter_values())


class InKeras:
    def __init__(self, package: ModuleType, name: str, channels: int = 0, **arguments: Any) -> None:
        import keras

        given = {f"{key}_initializer": value for key, value in arguments.items()}
        shared = {"shared_axes": [1, 2]} if not channels else {}
        try:
            self.module = getattr(package, name)(**shared, **given)
        except (TypeError, ValueError):
            if channels:
                raise
            self.module = getattr(package, name)(**given)  # no parameter has channels
        self.module(keras.ops.zeros((1, 3, channels or 4)))

    def value(self, name: str = "alpha") -> np.ndarray:
        return np.asarray(self.values()[name])

    def value_at(self, raw: float) -> np.ndarray:
        raise NotImplementedError("the value itself is what is trained in Keras")

    def call(self, x: np.ndarray) -> np.ndarray:
        import keras

        return np.asarray(keras.ops.convert_to_numpy(self.module(x)))

    def gradients(self, x: np.ndarray) -> list[np.ndarray]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.module(x))
        variables = [variable.value for variable in self.module.trainable_variables]
        return [np.asarray(slope) for slope in tape.gradient(loss, variables)]

    def load(self, values: Mapping[str, Any]) -> None:
        self.module.load_parameter_values(values)

    def values(self) -> dict[str, Any]:
        return dict(self.module.parameter_values())


class InFlax:
    def __init__(self, package: ModuleType, name: str, channels: int = 0, **arguments: Any) -> None:
        shape = {"shape": channels} if channels else {}
        self.module = getattr(package, name)(**shape, **arguments)

    def value(self, name: str = "alpha") -> np.ndarray:
        return np.asarray(getattr(self.module, name)[...])

    def value_at(self, raw: float) -> np.ndarray:
        self.module.raw_alpha[...] = np.float32(raw)
        return self.value()

    def call(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.module(x))

    def gradients(self, x: np.ndarray) -> list[np.ndarray]:
        import jax
        from flax import nnx

        return [np.asarray(s) for s in jax.tree.leaves(nnx.grad(lambda module: module(x).sum())(self.module))]

    def load(self, values: Mapping[str, Any]) -> None:
        self.module.load_parameter_values(values)

    def values(self) -> dict[str, Any]:
        return dict(self.module.parameter_values())


class InEquinox:
    def __init__(self, package: ModuleType, name: str, channels: int = 0, **arguments: Any) -> None:
        shape = {"shape": channels} if channels else {}
        self.module = getattr(package, name)(**shape, **arguments)

    def value(self, name: str = "alpha") -> np.ndarray:
        return np.asarray(getattr(self.module, name))

    def value_at(self, raw: float) -> np.ndarray:
        import equinox as eqx

        return np.asarray(eqx.tree_at(lambda m: m.raw_alpha, self.module, np.float32(raw)).alpha)

    def call(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.module(x))

    def gradients(self, x: np.ndarray) -> list[np.ndarray]:
        import equinox as eqx
        import jax

        slopes = eqx.filter_grad(lambda module: module(x).sum())(self.module)  # type: ignore[no-untyped-call]
        return [np.asarray(slope) for slope in jax.tree.leaves(slopes)]

    def load(self, values: Mapping[str, Any]) -> None:
        self.module = self.module.with_parameter_values(values)

    def values(self) -> dict[str, Any]:
        return dict(self.module.parameter_values())


ADAPTORS: Mapping[str, Callable[..., Trained]] = {
    "torch": InTorch,
    "keras": InKeras,
    "flax": InFlax,
    "equinox": InEquinox,
}


def train(
    framework: str, layers: Sequence[Trained], targets: Sequence[np.ndarray], optimizer: str, rate: float, steps: int
) -> np.ndarray:
    """Train layers of a framework by SGD or Adam, each towards its target at X, all in one step to save time.

    Returns:
        The mean square of each one's error, by step and layer, before the step.
    """
    return np.array(_TRAINERS[framework](layers, targets, optimizer, rate, steps))


def _train_torch(layers: Any, targets: Any, optimizer: str, rate: float, steps: int) -> list[Any]:
    import torch

    parameters = [parameter for layer in layers for parameter in layer.module.parameters()]
    made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](parameters, rate)
    losses = []
    for _ in range(steps):
        made.zero_grad()
        pairs = zip(layers, targets, strict=True)
        each = torch.stack(
            [(layer.module(torch.from_numpy(X)) - torch.from_numpy(y)).square().mean() for layer, y in pairs]
        )
        each.sum().backward()  # type: ignore[no-untyped-call]
        made.step()
        losses.append(each.tolist())
    return losses


def _train_keras(layers: Any, targets: Any, optimizer: str, rate: float, steps: int) -> list[Any]:
    import keras
    import tensorflow as tf

    made = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[optimizer](rate)
    variables = [variable for layer in layers for variable in layer.module.trainable_variables]
    made.build(variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tf.GradientTape() as tape:
            pairs = zip(layers, targets, strict=True)
            each = tf.stack([tf.reduce_mean(tf.square(layer.module(X) - y)) for layer, y in pairs])
            total = tf.reduce_sum(each)
        made.apply(tape.gradient(total, [variable.value for variable in variables]), variables)
        return each

    return [step().numpy() for _ in range(steps)]


def _train_flax(layers: Any, targets: Any, optimizer: str, rate: float, steps: int) -> list[Any]:
    import jax.numpy as jnp
    import optax
    from flax import nnx

    modules = nnx.List([layer.module for layer in layers])
    made = nnx.Optimizer(modules, {"sgd": optax.sgd, "adam": optax.adam}[optimizer](rate), wrt=nnx.Param)

    def total(modules: Any) -> Any:
        each = jnp.stack([((module(X) - y) ** 2).mean() for module, y in zip(modules, targets, strict=True)])
        return each.sum(), each

    @nnx.jit
    def step(modules: Any, made: Any) -> Any:
        (_, each), slopes = nnx.value_and_grad(total, has_aux=True)(modules)
        made.update(modules, slopes)
        return each

    return [np.asarray(step(modules, made)) for _ in range(steps)]


def _train_equinox(layers: Any, targets: Any, optimizer: str, rate: float, steps: int) -> list[Any]:
    import equinox as eqx
    import jax.numpy as jnp
    import optax

    made = {"sgd": optax.sgd, "adam": optax.adam}[optimizer](rate)
    modules = [layer.module for layer in layers]
    state = made.init(eqx.filter(modules, eqx.is_array))

    def total(modules: Any) -> Any:
        each = jnp.stack([((module(X) - y) ** 2).mean() for module, y in zip(modules, targets, strict=True)])
        return each.sum(), each

    @eqx.filter_jit
    def step(modules: Any, state: Any) -> Any:
        (_, each), slopes = eqx.filter_value_and_grad(total, has_aux=True)(modules)  # type: ignore[no-untyped-call]
        updates, state = made.update(slopes, state)
        return eqx.apply_updates(modules, updates), state, each

    losses = []
    for _ in range(steps):
        modules, state, each = step(modules, state)
        losses.append(np.asarray(each))
    for layer, module in zip(layers, modules, strict=True):
        layer.module = module
    return losses


_TRAINERS: Mapping[str, Callable[..., list[Any]]] = {
    "torch": _train_torch,
    "keras": _train_keras,
    "flax": _train_flax,
    "equinox": _train_equinox,
}
