"""A Kernel becomes source text: one folder a framework, each a printer table and templates.

What is shared lies here: the protocol of a target, the printer of kernels, docstrings, and the generated tests.
"""

from __future__ import annotations

from actgen.targets.target import Context, Entry, Target, load_targets

__all__ = ["Context", "Entry", "Target", "load_targets"]
