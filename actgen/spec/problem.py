"""What is wrong with a spec, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from actgen.spec.text import visible, width

_SHOWN = 100  # columns of a source line shown around a caret


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one file.

    `line` and `column` count from 1; `line` is None where the file has no lines to point at (it cannot be read).
    `extent` is how many characters of `source`, the line as it stands in the file, the caret underlines; 0 points
    at the line as a whole.
    """

    path: str
    message: str
    remedy: str = ""
    line: int | None = None
    column: int = 1
    extent: int = 0
    source: str = ""

    def __str__(self) -> str:
        """Render as `path:line:column: message; remedy`, followed by the source line and a caret."""
        place = self.path if self.line is None else f"{self.path}:{self.line}:{self.column}"
        sentence = f"{self.message}; {self.remedy}" if self.remedy else self.message
        head = visible(f"{place}: {sentence}")
        if self.line is None or not self.extent:
            return head
        shown, start, stop = _window(self.source, self.column - 1, self.column - 1 + self.extent)
        before, marked = visible(shown[:start]), visible(shown[start:stop])
        return f"{head}\n  {visible(shown)}\n  {' ' * width(before)}{'^' * max(width(marked), 1)}"


class SpecError(Exception):
    """One or more spec files cannot be used; `problems` says all that is wrong with all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Render every problem, one paragraph each."""
        return "\n".join(str(problem) for problem in self.problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the remedy that names what `name` was probably meant to be, or nothing.

    >>> nearest("sigmiod", ["sigmoid", "sin"])
    "did you mean 'sigmoid'?"
    """
    exact = {candidate.lower(): candidate for candidate in sorted(known, reverse=True)}
    close = get_close_matches(name.lower(), exact, n=1, cutoff=0.7)
    return f"did you mean {exact[close[0]]!r}?" if close else ""


def _window(source: str, start: int, stop: int) -> tuple[str, int, int]:
    """Cut a long line to the part around the caret; return it with the caret's place in it."""
    if len(source) <= _SHOWN:
        return source, start, min(stop, len(source) + 1)
    low = max(0, min(start - _SHOWN // 3, len(source) - _SHOWN))
    high = min(len(source), low + _SHOWN)
    head, tail = "..." if low else "", "..." if high < len(source) else ""
    return head + source[low:high] + tail, start - low + len(head), min(stop, high) - low + len(head)
