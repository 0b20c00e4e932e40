"""What is asked of a function in PyTorch comes back as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from actgen.verify.batch import Batch
from actgen.verify.measuring import start


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_derivative_that_autograd_knows_to_be_0_is_an_array_of_zeros(dtype: str) -> None:
    """In forward mode it is a tensor without memory, which NumPy refuses: the second derivative of torch.abs."""
    import torch

    points = np.array([-2.0, 0.5, 3.0])
    batch = Batch(dtype, points, "x", ((), ("x",), ("x", "x")), {}, {})
    (found,) = start("torch").evaluate(torch.abs, [batch], "eager")
    assert found[()].tolist() == [2.0, 0.5, 3.0]
    assert found[("x",)].tolist() == [-1.0, 1.0, 1.0]
    assert found[("x", "x")].tolist() == [0.0, 0.0, 0.0]
