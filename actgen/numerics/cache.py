"""Tables kept on disk between runs, by content: what a table is computed from is its name.

A file holds the SHA-256 of the rest, then a NumPy archive without pickles. It is written under another name and moved
into place, so that a reader sees a whole file or none; one that is damaged all the same is not trusted but rebuilt.
The folder is ``ACTGEN_CACHE_DIR`` or else the user's cache folder; where it cannot be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import flint
import numpy as np
import platformdirs
import sympy as sp
from numpy.typing import NDArray

from actgen.numerics.tables import Table

_VERSION = 3
"""Of the tables' contents: raise it with every change of how they are computed or laid out."""

_DIGEST_SIZE = hashlib.sha256().digest_size


def folder() -> Path:
    """Where tables are kept."""
    chosen = os.environ.get("ACTGEN_CACHE_DIR")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_path("actgen"))


def path_of(expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], dtype: str) -> Path:
    """The file of a table: its name is the digest of everything the table depends on."""
    values = sorted((sp.srepr(symbol), str(value)) for symbol, value in parameters.items())
    content = (_VERSION, flint.__version__, sp.srepr(expression), sp.srepr(variable), values, dtype)
    return folder() / "tables" / f"{hashlib.sha256(repr(content).encode()).hexdigest()}.table"


def remembered(path: Path, build: Callable[[], Table]) -> Table:
    """The table in a file; built, and written there, if there is none that is whole."""
    table = _read(path)
    if table is None:
        table = build()
        _write(path, table)
    return table


def read_checked(path: Path) -> bytes | None:
    """What :func:`write_checked` put into a file; None if it is not there or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return rest if hashlib.sha256(rest).digest() == digest else None


def write_checked(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, a digest of its content in front."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(name, path)
    except OSError:
        return  # a cache is a convenience: a full disk or a read-only folder costs time and no result


def _read(path: Path) -> Table | None:
    archive = read_checked(path)
    if archive is None:
        return None
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            return Table.from_arrays(dict(arrays))
    except (KeyError, ValueError, zipfile.BadZipFile):
        return None


def _write(path: Path, table: Table) -> None:
    archive = io.BytesIO()
    arrays: dict[str, NDArray[np.generic]] = dict(table.arrays)
    np.savez(archive, allow_pickle=False, **arrays)
    write_checked(path, archive.getvalue())
