"""The PyTorch target: functions with exact derivatives, and nn.Modules."""

from __future__ import annotations

from actgen.targets.torch.emitter import TorchTarget

__all__ = ["target"]

target = TorchTarget()
