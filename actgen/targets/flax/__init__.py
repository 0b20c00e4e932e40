"""The Flax target: `nnx.Module`s around the functions of the JAX target."""

from __future__ import annotations

from actgen.targets.flax.emitter import FlaxTarget

__all__ = ["target"]

target = FlaxTarget()
