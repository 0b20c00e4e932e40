"""The manifest as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from actgen.build import InputError, KernelRecord, Manifest, Record
from actgen.build.manifest import NAME, partial_name

MANIFEST = Manifest(
    version="1.2",
    generator="abc",
    targets=("torch", "jax"),
    activations={
        "mish": Record(
            spec="specs/mish.toml",
            digest="def",
            class_name="Mish",
            aliases=("mísh",),
            summary="A sentence.",
            kernels={"value": {"torch": KernelRecord("normal form", 1.5, 2.5, -0.5, True, False, (1, 1, 7))}},
            files={"torch/mish.py": "123"},
        )
    },
    package={"torch/__init__.py": "456"},
)


@pytest.mark.parametrize("pending", [{}, {"torch/mish.py": "789"}])
def test_what_is_dumped_is_read_back(tmp_path: Path, pending: dict[str, str]) -> None:
    manifest = Manifest(**{**MANIFEST.__dict__, "pending": pending})
    (tmp_path / NAME).write_text(manifest.dump(), encoding="utf-8")
    assert Manifest.read(tmp_path) == manifest


def test_the_text_does_not_depend_on_the_order_in_which_things_were_done() -> None:
    reordered = Manifest(**dict(reversed(MANIFEST.__dict__.items())))
    assert reordered.dump() == MANIFEST.dump()
    assert MANIFEST.dump().endswith("}\n")


def test_a_manifest_of_another_format_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"format": 99}')
    assert Manifest.read(tmp_path) == Manifest()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3}', '{"format": 3, "activations": 3}', "\ufeff"])
def test_what_no_build_wrote_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="delete it"):
        Manifest.read(tmp_path)


def test_bytes_that_are_no_text_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="delete it"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ((), "value"),
        (("x",), "d/dx"),
        (("x", "x"), "d2/dx2"),
        (("beta",), "d/dbeta"),
        (("x", "beta"), "d2/dx dbeta"),
        (("beta", "beta"), "d2/dbeta2"),
    ],
)
def test_partial_derivatives_are_named_as_on_paper(variables: tuple[str, ...], name: str) -> None:
    assert partial_name(variables) == name


def test_what_is_new_is_expected_to_take_longest() -> None:
    """Begun last, it would run on alone while the other processes have nothing to do."""
    assert MANIFEST.effort("mish") == 7
    assert MANIFEST.effort("unheard of") == float("inf")
