"""How the operations come out on real machines: each as a target prints it, eager and compiled, on each kind of loop.

Run as a program in a process of its own, because Keras chooses its backend once and JAX its precision:

    python -m tests.targets.machines torch FOLDER 1000 short

The folder holds `operands.npz`, arrays `OPERATION/DTYPE/a` and `.../b`; results go to `results.npz`, with the name of
the way in front: `eager/exp/float32`. The number says how many elements are also computed a few at a time; "short"
compiles all operations together, "long" each by itself.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.targets.jax.printer import EXPANSIONS as JAX_EXPANSIONS
from actgen.targets.jax.printer import JaxPrinter
from actgen.targets.keras.expansions import EXPANSIONS as KERAS_EXPANSIONS
from actgen.targets.keras.expansions import sources
from actgen.targets.keras.printer import KerasPrinter
from actgen.targets.statements import Printer
from actgen.targets.torch.printer import EXPANSIONS as TORCH_EXPANSIONS
from actgen.targets.torch.printer import TorchPrinter
from tests.targets import operations

Array = NDArray[Any]
Operands = Mapping[str, tuple[Array, Array]]
"""Operands a and b by "OPERATION/DTYPE"."""
Function = Callable[..., Any]

TAIL = {"float32": 7, "float64": 3}
"""Elements that do not fill a vector register: they take the scalar path where there is one."""


def functions(printer: Printer, head: Iterable[str], keys: Iterable[str]) -> dict[str, Function]:
    """Return each operation as a function of a and b, from the source that a printer writes, by "OPERATION/DTYPE"."""
    parts = ["from __future__ import annotations", *head]
    names = {key: key.split("/")[0] for key in keys}
    for name in set(names.values()):
        body = "\n    ".join(printer.print(operations.kernel(name), like="a").lines)
        parts.append(f"def operation_{name}(a, b):\n    {body}")
    scope: dict[str, Any] = {}
    exec("\n\n".join(parts), scope)  # what the printer wrote, as emitted modules hold it
    return {key: scope[f"operation_{name}"] for key, name in names.items()}


def in_pieces(f: Callable[[Array, Array], Array], a: Array, b: Array) -> Array:
    """Apply a function to a few elements at a time; the last ones come twice."""
    size = TAIL[str(a.dtype)]
    starts = [min(start, len(a) - size) for start in range(0, len(a), size)]
    result = np.empty_like(a)
    for start in starts:
        result[start : start + size] = f(a[start : start + size], b[start : start + size])
    return result


def on_torch(operands: Operands, pieces: int, is_short: bool) -> Iterator[tuple[str, Array]]:
    import torch
    import torch._inductor.config as inductor

    fs = functions(TorchPrinter(reuse=False), ["import torch", *TORCH_EXPANSIONS.values()], operands)

    def apply(f: Function, a: Array, b: Array) -> Array:
        return np.asarray(f(torch.from_numpy(a), torch.from_numpy(b)).numpy())

    def strided(f: Function, a: Array, b: Array) -> Array:
        wide = [torch.from_numpy(np.repeat(values, 2)) for values in (a, b)]
        return np.asarray(f(*(values[::2] for values in wide)).numpy())

    for key, (a, b) in operands.items():
        yield f"eager/{key}", apply(fs[key], a, b)
        yield f"strided/{key}", strided(fs[key], a, b)
        yield f"pieces/{key}", in_pieces(partial(apply, fs[key]), a[:pieces], b[:pieces])
    flat = [torch.from_numpy(values) for pair in operands.values() for values in pair]
    for way, lanes in (("compiled", None), ("compiled without vectors", 1)):
        torch._dynamo.reset()
        with inductor.patch({"cpp.simdlen": lanes}):
            results = torch.compile(together(fs, operands), dynamic=False)(*flat)
        yield from ((f"{way}/{key}", result.numpy()) for key, result in zip(operands, results, strict=True))


def on_jax(operands: Operands, pieces: int, is_short: bool) -> Iterator[tuple[str, Array]]:
    jax: Any = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    fs = functions(JaxPrinter(), ["import jax, jax.numpy as jnp", *JAX_EXPANSIONS.values()], operands)

    def apply(f: Function, a: Array, b: Array) -> Array:
        return np.asarray(f(jax.numpy.asarray(a), jax.numpy.asarray(b)))

    for key, (a, b) in operands.items():
        yield f"eager/{key}", apply(fs[key], a, b)
        if not is_short:
            compiled = jax.jit(fs[key])
            yield f"compiled/{key}", apply(compiled, a, b)
            yield f"pieces/{key}", in_pieces(partial(apply, compiled), a[:pieces], b[:pieces])
    if is_short:
        yield from compiled_together(jax.jit, jax.numpy.asarray, fs, operands)


def on_keras(operands: Operands, pieces: int, is_short: bool) -> Iterator[tuple[str, Array]]:
    keras: Any = importlib.import_module("keras")
    backend = keras.backend.backend()
    fs = functions(KerasPrinter(), ["import keras", *sources(KERAS_EXPANSIONS)], operands)
    compiler: Callable[..., Any] | None = None
    if backend == "jax":
        jax: Any = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        compiler = jax.jit
    if backend == "tensorflow":
        compiler = partial(importlib.import_module("tensorflow").function, jit_compile=True)

    def apply(f: Function, a: Array, b: Array) -> Array:
        y = f(keras.ops.convert_to_tensor(a), keras.ops.convert_to_tensor(b))
        return np.asarray(y if backend == "jax" else y.numpy())

    for key, (a, b) in operands.items():
        yield f"eager/{key}", apply(fs[key], a, b)
        if backend != "jax":
            yield f"pieces/{key}", in_pieces(partial(apply, fs[key]), a[:pieces], b[:pieces])
        if compiler is not None and not is_short:
            compiled = compiler(fs[key])
            yield f"compiled/{key}", apply(compiled, a, b)
            yield f"compiled pieces/{key}", in_pieces(partial(apply, compiled), a[:pieces], b[:pieces])
    if compiler is not None and is_short:
        yield from compiled_together(compiler, keras.ops.convert_to_tensor, fs, operands)


def together(fs: Mapping[str, Function], operands: Operands) -> Function:
    """Return one function for all operations: compiling is what takes time."""

    def run(*flat: Any) -> list[Any]:
        return [fs[key](flat[2 * i], flat[2 * i + 1]) for i, key in enumerate(operands)]

    return run


def compiled_together(
    compiler: Callable[..., Any], tensor: Callable[..., Any], fs: Mapping[str, Function], operands: Operands
) -> Iterator[tuple[str, Array]]:
    """Compile all operations as one function, for all elements and for the first few."""
    for way, size in (("compiled", None), ("compiled pieces", TAIL["float32"])):
        flat = [tensor(values[:size]) for pair in operands.values() for values in pair]
        results = compiler(together(fs, operands))(*flat)
        yield from ((f"{way}/{key}", np.asarray(result)) for key, result in zip(operands, results, strict=True))


def main(framework: str, folder: Path, pieces: int, is_short: bool) -> None:
    with np.load(folder / "operands.npz") as arrays:
        keys = sorted({key.rsplit("/", 1)[0] for key in arrays.files})
        operands = {key: (arrays[f"{key}/a"], arrays[f"{key}/b"]) for key in keys}
    machine = {"torch": on_torch, "jax": on_jax, "keras": on_keras}[framework]
    np.savez(folder / "results.npz", **dict(machine(operands, pieces, is_short)))  # type: ignore[arg-type]  # one may be allow_pickle


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "short")
