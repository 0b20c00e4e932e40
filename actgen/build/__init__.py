"""Text becomes files: plan, cache, format, write, check, clean.

A build compares hashes first and imports SymPy only where something changed. It then derives what changed in
parallel, formats the result, and moves each file into place; nobody ever sees half a file. It never touches a file
that is not its own, and refuses to overwrite one that was edited by hand.
"""

from __future__ import annotations

from actgen.build.builder import Report, build
from actgen.build.errors import BuildError, HandEditedError, InputError
from actgen.build.manifest import KernelRecord, Manifest, Record
from actgen.build.progress import Progress
from actgen.build.settings import Settings, find_settings, own_specs, packaged_specs

__all__ = [
    "BuildError",
    "HandEditedError",
    "InputError",
    "KernelRecord",
    "Manifest",
    "Progress",
    "Record",
    "Report",
    "Settings",
    "build",
    "find_settings",
    "own_specs",
    "packaged_specs",
]
