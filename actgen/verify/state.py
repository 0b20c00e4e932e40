"""What was measured already, in the user's cache folder: a run that was interrupted goes on where it stopped.

A result is kept under a hash of everything it depends on: the code that was measured, the spec that says what is right,
the framework's version, the points. Nothing in it ever has to be thrown away for being old.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from actgen.build.digest import digest
from actgen.numerics import cache
from actgen.verify.record import Entry, dump_cells, parse_cells

MEASURE = 3
"""To be raised by one where a change of the code in this package or of the contract changes what is measured."""


def state_folder() -> Path:
    """Where results are kept."""
    return cache.folder() / "verify"


def key(**parts: object) -> str:
    """The key of a result that depends on these."""
    return digest(json.dumps({"measure": MEASURE, **parts}, sort_keys=True, default=str).encode())[:32]


@dataclass(frozen=True)
class Store:
    """Results by key, a file each."""

    folder: Path

    def read(self, name: str) -> Entry | None:
        """The result of that key, if it is known."""
        try:
            content = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            return Entry(parse_cells(content["quantities"]), content["failure"], content.get("traceback", ""))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # another version's, or damaged: measured again

    def holds(self, name: str) -> bool:
        """Whether something was measured; code that did not run is tried again, for it may be the machine's fault."""
        entry = self.read(name)
        return entry is not None and not entry.failure

    def write(self, name: str, entry: Entry) -> None:
        """Keep a result; at once, so that nobody sees half of it."""
        failure = {"failure": entry.failure, "traceback": entry.traceback} if entry.failure else {"failure": ""}
        text = f'{json.dumps(failure)[:-1]}, "quantities": {dump_cells(entry.cells)}}}\n'
        write_at_once(self.folder / f"{name}.json", text)


def write_at_once(path: Path, text: str) -> None:
    """Write a file whole or not at all; leave it alone where it holds the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    descriptor, name = tempfile.mkstemp(prefix=".actgen-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)
