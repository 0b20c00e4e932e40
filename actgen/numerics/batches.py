"""Settings at which kernels are evaluated together: to numpy ten short arrays are ten times the work of a long one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from actgen.numerics.contract import Errors, Yardstick
from actgen.numerics.emulation import Arithmetic, Array, Emulator, Functions
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.oracle import Floats

_EXACT_ABOVE = 2.5
"""Units are exact at points where they exceed this, so that it can be told where a form fails."""

_ROOM, _ROOM_OF_ERRORS = 2**25, 2**26
"""Bytes of results and of errors that are remembered of a setting; all are forgotten where there are more."""


@dataclass(frozen=True, eq=False)
class Setting:
    """One assignment of values to the parameters, rounded to the type that is judged, and the points to judge at.

    `keeps` holds for points at which it matters that subnormal numbers are kept; only machines that may keep them are
    judged there.
    """

    dtype: str
    parameters: Mapping[str, float]
    points: Floats
    slack: float
    keeps: bool = False


class Batch:
    """A machine that evaluates kernels at several settings of one type at once.

    Args:
        x: the input's name.
        settings: of one type, all of them with or all without subnormal numbers kept.
        arithmetic: of the machine.
        functions: what functions give, shared with other machines.
    """

    def __init__(self, x: str, settings: Sequence[Setting], arithmetic: Arithmetic, functions: Functions) -> None:
        ends = np.cumsum([len(setting.points) for setting in settings]).tolist()
        self._slices = {
            setting: slice(end - len(setting.points), end) for setting, end in zip(settings, ends, strict=True)
        }
        values: dict[str, Array | float] = {x: np.concatenate([setting.points for setting in settings])}
        for name in settings[0].parameters:
            several = [setting.parameters[name] for setting in settings]
            lengths = [len(setting.points) for setting in settings]
            values[name] = several[0] if len(set(several)) == 1 else np.repeat(several, lengths)
        self._count = ends[-1]
        self._emulator = Emulator(values, settings[0].dtype, arithmetic, _ROOM * len(settings), functions)
        self._latest: tuple[Node, Array] | None = None
        self._known: dict[tuple[Node, Setting], Errors] = {}
        self._taken = 0

    def errors(self, kernel: Kernel, setting: Setting, yardstick: Yardstick) -> Errors:
        """A kernel's errors at one of the settings; what was asked before is remembered."""
        key = kernel.result, setting
        if key not in self._known:
            if self._taken > _ROOM_OF_ERRORS * len(self._slices):
                self._known, self._taken = {}, 0
            found = self._known[key] = yardstick.errors(self._results(kernel, setting), _EXACT_ABOVE)
            self._taken += found.units.nbytes + found.ulps.nbytes
        return self._known[key]

    def _results(self, kernel: Kernel, setting: Setting) -> Array:
        """What a kernel gives at the points of one of the settings."""
        if self._latest is None or self._latest[0] is not kernel.result:
            results = np.broadcast_to(self._emulator.run(kernel), (self._count,))
            self._latest = kernel.result, results
        return self._latest[1][self._slices[setting]]
