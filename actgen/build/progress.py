"""How a build tells what it is doing, to whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about each activation as it is finished; the order is that of completion."""

    def start(self, total: int) -> None:
        """The build is about to derive ``total`` activations."""

    def finish(self, name: str) -> None:
        """One activation is derived and emitted."""

    def stop(self) -> None:
        """Nothing more will come, because all is done or because it failed."""


class Silence:
    """Shows nothing."""

    def start(self, total: int) -> None:
        """Ignore the start."""

    def finish(self, name: str) -> None:
        """Ignore one activation."""

    def stop(self) -> None:
        """Ignore the end."""
