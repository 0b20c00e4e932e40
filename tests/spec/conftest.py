"""A folder in which tests write specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from actgen.spec import Activation, SpecError, load_spec

Writer = Callable[..., Path]

TOP = 'title = "Probe"\nsummary = "A function to try things on."\nexpression = "x"\nfolklore = true\n'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writer:
    """Return a function that writes a spec into the current folder and returns its relative path."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "probe") -> Path:
        path = Path(f"{name}.toml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def load(write: Writer) -> Callable[..., Activation]:
    """Return a function that loads a spec from its text."""
    return lambda text, name="probe": load_spec(write(text, name))


@pytest.fixture
def refuse(write: Writer) -> Callable[..., str]:
    """Return a function that gives the message with which a spec is refused."""

    def refuse(text: str | bytes, name: str = "probe") -> str:
        with pytest.raises(SpecError) as caught:
            load_spec(write(text, name))
        return str(caught.value)

    return refuse


@pytest.fixture
def top() -> str:
    """Return the text of the smallest spec: four lines, the formula in the third."""
    return TOP
