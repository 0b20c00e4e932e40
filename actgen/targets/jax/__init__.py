"""The JAX target: pure functions with exact derivatives in forward and reverse mode."""

from __future__ import annotations

from actgen.targets.jax.emitter import JaxTarget

__all__ = ["target"]

target = JaxTarget()
