"""The framework's own function, as a spec names it, run beside ours. What is wrong with it is wrong with the spec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class Native:
    """A framework's own function, at our default parameters.

    Attributes:
        name: in full, such as "torch.nn.functional.silu".
        function: of the input alone.
        own: the framework's, as it is.
        framework: under which the spec names it.
        spec: the spec's file.
    """

    name: str
    function: Callable[..., Any]
    own: Callable[..., Any]
    framework: str
    spec: Path


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

    def function(x: Any) -> Any:
        y = own(x, **declared.arguments)
        if (getattr(y, "shape", None), getattr(y, "dtype", None)) != (x.shape, x.dtype):
            raise _NotElementwiseError
        return y

    return Native(declared.name, function, own, framework, spec)


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
            reason = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".")
            message = f"{native.name} does not run in {mode} mode: {reason}"
            remedy = "correct its name or its arguments, or take it out of [builtins]"
            raise _complaint(native.spec, native.framework, message, remedy) from error
    return nothing


class _NotElementwiseError(Exception):
    """What a function gave is not like its input."""


def _complaint(spec: Path, framework: str, message: str, remedy: str) -> SpecError:
    """The error that points at where the spec names the function."""
    source = Source.read(shorten(spec).as_posix(), spec.read_text(encoding="utf-8-sig"))
    return SpecError([source.problem(source.value(("builtins", framework)), message, remedy)])
