"""The Equinox target: `eqx.Module`s around the functions of the JAX target."""

from __future__ import annotations

from actgen.targets.equinox.emitter import EquinoxTarget

__all__ = ["target"]

target = EquinoxTarget()
