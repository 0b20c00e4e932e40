"""The Keras 3 target: functions and layers for the TensorFlow, JAX and PyTorch backends."""

from __future__ import annotations

from actgen.targets.keras.emitter import KerasTarget

__all__ = ["target"]

target = KerasTarget()
