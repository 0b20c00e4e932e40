"""Builds of fakes: in one process unless a test says otherwise, by a generator that nobody edits meanwhile."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fixed_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actgen.build.plan.generator_digest", lambda targets: "the generator")
    monkeypatch.setattr("actgen.build.workers._processors", lambda: 1)
