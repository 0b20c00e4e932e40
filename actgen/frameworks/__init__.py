"""What frameworks call each activation, and where theirs is not ours: measured, and written down as a page."""

from __future__ import annotations

from actgen.frameworks.writing import is_current, write

__all__ = ["is_current", "write"]
