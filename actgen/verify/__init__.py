"""Is the generated code as accurate as it claims? It is run in the real frameworks and held against exact values."""

from __future__ import annotations

from actgen.verify.record import Record
from actgen.verify.request import Request
from actgen.verify.table import COLUMNS, NUMBERS, TITLE, missed
from actgen.verify.table import rows as table
from actgen.verify.verifying import left_out, stale, verify

__all__ = ["COLUMNS", "NUMBERS", "TITLE", "Record", "Request", "left_out", "missed", "stale", "table", "verify"]
