"""Speed: ours, the framework's own and the formula as typed, side by side in the ways that people run them."""

from actgen.bench.benching import bench
from actgen.bench.record import Measured, Place, Record
from actgen.bench.request import Request
from actgen.bench.table import COLUMNS, NUMBERS, TITLE, table

__all__ = ["COLUMNS", "NUMBERS", "TITLE", "Measured", "Place", "Record", "Request", "bench", "table"]
