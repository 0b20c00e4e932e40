"""Tables and exact values kept on disk between runs, by content: what they are computed from is their name.

A file holds the SHA-256 of the rest, then a NumPy archive without pickles. It is written under another name and moved
into place, so that a reader sees a whole file or none; one that is damaged all the same is not trusted but rebuilt.
The folder is ``ACTGEN_CACHE_DIR`` or else the user's cache folder; where it cannot be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import platformdirs
import sympy as sp
from numpy.typing import NDArray

from actgen.numerics.oracle import Exact, Floats
from actgen.numerics.tables import Table

_VERSION = 3
"""Of the tables and exact values: raise it with every change of how they are computed or laid out."""

_DIGEST_SIZE = hashlib.sha256().digest_size


def folder() -> Path:
    """Where tables are kept."""
    chosen = os.environ.get("ACTGEN_CACHE_DIR")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_path("actgen"))


def path_of(expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], dtype: str) -> Path:
    """The file of a table: its name is the digest of everything the table depends on."""
    return folder() / "tables" / f"{_digest(expression, variable, parameters, dtype)}.table"


def path_of_values(
    expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], points: Floats
) -> Path:
    """The file of a formula's exact values at some points."""
    return folder() / "values" / f"{_digest(expression, variable, parameters, points.tobytes().hex())}.values"


def _digest(expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], where: str) -> str:
    values = sorted((sp.srepr(symbol), str(value)) for symbol, value in parameters.items())
    content = (_VERSION, flint.__version__, sp.srepr(expression), sp.srepr(variable), values, where)
    return hashlib.sha256(repr(content).encode()).hexdigest()


def remembered_values(path: Path, compute: Callable[[], Exact]) -> Exact:
    """The exact values in a file; computed, and written there, if there are none that are whole."""
    arrays = _arrays(path)
    if arrays is not None and set(arrays) == {"high", "low", "decided"}:
        return Exact(**arrays)
    found = compute()
    _write(path, {"high": found.high, "low": found.low, "decided": found.decided})
    return found


def forget_values() -> None:
    """Remove all exact values: gigabytes of a hundred specs, and of no use once every framework is measured."""
    shutil.rmtree(folder() / "values", ignore_errors=True)


def remembered(path: Path, build: Callable[[], Table]) -> Table:
    """The table in a file; built, and written there, if there is none that is whole."""
    table = _read(path)
    if table is None:
        table = build()
        _write(path, table.arrays)
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
    arrays = _arrays(path)
    try:
        return None if arrays is None else Table.from_arrays(arrays)
    except (KeyError, ValueError):
        return None


def _arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    archive = read_checked(path)
    if archive is None:
        return None
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    write_checked(path, archive.getvalue())
