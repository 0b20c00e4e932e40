"""The framework's own function, as a spec names it, run beside ours. What is wrong with it is wrong with the spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actgen.build.settings import shorten
from actgen.spec import SpecError
from actgen.spec.problem import nearest
from actgen.spec.source import Source
from actgen.verify.batch import Batch, Framework, Refused, Results

if TYPE_CHECKING:
    from actgen.spec import Activation

_Function = Callable[..., Any]

# Where a framework's `stack` is.
_STACKS = {"torch": "torch", "keras": "keras.ops", "jax": "jax.numpy"}


@dataclass(frozen=True)
class Native:
    """A framework's own function, at our default parameters.

    Attributes:
        name: in full, such as "torch.nn.functional.silu".
        function: of what ours is called with: the input alone, rows on the last axis, or two tensors by name.
        own: the framework's, as it is.
        framework: under which the spec names it.
        spec: the spec's file.
    """

    name: str
    function: Callable[..., Any]
    own: Callable[..., Any]
    framework: str
    spec: Path

    def complaint(self, mode: str, error: Exception) -> SpecError:
        """What to say where it does not run."""
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".")
        message = f"{self.name} does not run in {mode} mode: {reason}"
        remedy = "correct its name or its arguments, or take it out of [builtins]"
        return _complaint(self.spec, self.framework, message, remedy)


def find_native(activation: Activation, framework: str, spec: Path) -> Native | None:
    """The function that a spec says is the same; None where it names none.

    Raises:
        SpecError: the framework, as it is installed, has no such function.
    """
    declared = activation.builtins.get(framework)
    if declared is None:
        return None
    home, _, name = declared.name.rpartition(".")
    module = import_module(home)
    if not hasattr(module, name):
        remedy = nearest(name, dir(module)) or "correct its name, or take it out of [builtins]"
        raise _complaint(spec, framework, f"{home} has no {name}", remedy)
    own = getattr(module, name)

    adapt = {"axiswise": _of_rows, "gated": _of_pairs}.get(activation.kind, _of_numbers)
    return Native(declared.name, adapt(own, declared.arguments, activation, framework), own, framework, spec)


def _of_numbers(own: _Function, arguments: Mapping[str, Any], _activation: Activation, _framework: str) -> _Function:
    def function(x: Any) -> Any:
        y = own(x, **arguments)
        if (getattr(y, "shape", None), getattr(y, "dtype", None)) != (x.shape, x.dtype):
            raise _NotElementwiseError
        return y

    return function


def _of_rows(own: _Function, arguments: Mapping[str, Any], _activation: Activation, _framework: str) -> _Function:
    def function(x: Any) -> Any:
        return own(x, **arguments)

    return function


def _of_pairs(own: _Function, arguments: Mapping[str, Any], activation: Activation, framework: str) -> _Function:
    """Of two tensors, by name in either order, which frameworks take as the halves of a last axis."""
    stack = import_module(_STACKS[framework]).stack
    first, second = (symbol.name for symbol in activation.inputs)

    def function(x: Any, **others: Any) -> Any:
        halves = [x, others[second]] if second in others else [others[first], x]
        return own(stack(halves, -1), **arguments)[..., 0]

    return function


def run_native(framework: Framework, native: Native | None, batches: Sequence[Batch], mode: str) -> list[Results]:
    """The results of a built-in, as many derivatives as the framework has; none where there is no built-in.

    Raises:
        SpecError: it does not run, or is no function of each number by itself.
    """
    nothing: list[Results] = [{} for _ in batches]
    if native is None:
        return nothing
    for most in (2, 1, 0):
        asked = [replace(batch, orders=tuple(o for o in batch.orders if len(o) <= most)) for batch in batches]
        try:
            return list(framework.evaluate(native.function, asked, mode))
        except Refused:
            continue
        except _NotElementwiseError as error:
            message = f"{native.name} gives no array of the shape and type of its input"
            remedy = "name an elementwise function, or take it out of [builtins]"
            raise _complaint(native.spec, native.framework, message, remedy) from error
        except Exception as error:
            raise native.complaint(mode, error) from error
    return nothing


class _NotElementwiseError(Exception):
    """What a function gave is not like its input."""


def _complaint(spec: Path, framework: str, message: str, remedy: str) -> SpecError:
    """The error that points at where the spec names the function."""
    source = Source.read(shorten(spec).as_posix(), spec.read_text(encoding="utf-8-sig"))
    return SpecError([source.problem(source.value(("builtins", framework)), message, remedy)])
