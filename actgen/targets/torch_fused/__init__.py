"""The fused PyTorch target: kernels in C++ behind the functions and modules of the target `torch`."""

from __future__ import annotations

from actgen.targets.torch_fused.emitter import TorchFusedTarget

__all__ = ["target"]

target = TorchFusedTarget()
