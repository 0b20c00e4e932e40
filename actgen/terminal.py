"""How things look in a terminal: progress, tables, diffs. Imported where something is shown: rich takes its time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import TaskID


class Bar:
    """A build's progress as a bar on standard error, gone when the build is over."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def start(self, total: int) -> None:
        """Show the bar."""
        self._progress.start()
        self._task = self._progress.add_task("deriving", total=total)

    def finish(self, name: str) -> None:
        """Move it by one."""
        if self._task is not None:
            self._progress.update(self._task, advance=1, description=name)

    def stop(self) -> None:
        """Take it away."""
        self._progress.stop()


class Lines:
    """A build's progress as plain lines on standard error, for logs."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._total = 0
        self._done = 0

    def start(self, total: int) -> None:
        """Say how much there is to do."""
        self._total = total

    def finish(self, name: str) -> None:
        """Say what is done."""
        self._done += 1
        print(f"[{self._done}/{self._total}] {name}", file=self._stream, flush=True)

    def stop(self) -> None:
        """Say nothing more."""


def make_progress() -> Bar | Lines:
    """A bar when somebody is watching, lines otherwise."""
    return Bar() if sys.stderr.isatty() else Lines()


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Sequence[str] = (),
    marked: str | None = None,
) -> None:
    """Print a table; as wide as it needs to be where the output is not a terminal.

    Args:
        title: above it.
        columns: their names.
        rows: a cell for each column.
        numeric: the columns whose cells are aligned to the right.
        marked: rows that end in this word are red.
    """
    console = _console()
    table = Table(title=Text(title), title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row), style="red" if marked and row[-1] == marked else None)
    console.print(table)


def show_facts(title: str, facts: Mapping[str, str | Sequence[str]]) -> None:
    """Print a title, then name and fact on each line; a fact with several lines is aligned."""
    console = _console()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts.items():
        lines = [fact] if isinstance(fact, str) else list(fact)
        for i, line in enumerate(lines):
            grid.add_row(Text(name if i == 0 else ""), Text(line))
    console.print(Text(title, style="bold"))
    console.print(grid)


def show_difference(difference: str) -> None:
    """Print a unified diff, in colour in a terminal."""
    console = _console()
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in difference.splitlines():
        style = "bold" if line.startswith(("+++", "---")) else styles.get(line[:1], "")
        console.print(Text(line, style=style), soft_wrap=True)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=200)
