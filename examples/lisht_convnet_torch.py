"""Train a small ConvNet with a generated activation in PyTorch, save it, load it, and get the same predictions.

    python examples/lisht_convnet_torch.py [--epochs 20] [--seed 0] [--out lisht_convnet.pt]

The same model as in ``lisht_convnet.py``; ``LiSHT`` is the module, ``lisht`` the function. Exits with 1 if fewer than
97 % of the test images are recognised.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import digits
import torch
from torch import Tensor, nn

from generated.torch import LiSHT, lisht

REQUIRED_ACCURACY = 0.97
BATCH = 32


class ConvNet(nn.Module):
    """Two convolutional blocks of 32 and 64 channels, dropout, and a dense layer of 256."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding="same"),
            LiSHT(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Conv2d(32, 64, 3, padding="same"),
            LiSHT(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Flatten(),
        )
        self.dense = nn.Linear(64 * 2 * 2, 256)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(256, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (count, 10) of images (count, 1, 8, 8)."""
        logits: Tensor = self.head(self.dropout(lisht(self.dense(self.blocks(images)))))
        return logits


def train(model: ConvNet, images: Tensor, labels: Tensor, epochs: int) -> None:
    """Fit the model by Adam, its rate falling to 0 along a cosine, in batches drawn anew every epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * math.ceil(len(images) / BATCH))
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def predict(model: ConvNet, images: Tensor) -> Tensor:
    """Return the logits of the images, with dropout off."""
    model.eval()
    logits: Tensor = model(images)
    return logits


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, judge, save, load, predict again; return the exit status."""
    parser = argparse.ArgumentParser(description="Train a ConvNet with LiSHT on handwritten digits, in PyTorch.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to keep the weights, NAME.pt (default: not kept)")
    options = parser.parse_args(arguments)

    started = time.perf_counter()
    torch.manual_seed(options.seed)
    # Layers this small gain nothing from a second thread, and lose much by waiting for it on a busy machine.
    torch.set_num_threads(1)
    samples = digits.load()
    train_images = torch.from_numpy(samples.train_images).movedim(-1, 1).contiguous()
    test_images = torch.from_numpy(samples.test_images).movedim(-1, 1).contiguous()
    model = ConvNet()
    train(model, train_images, torch.from_numpy(samples.train_labels).long(), options.epochs)
    logits = predict(model, test_images)
    accuracy = (logits.argmax(dim=1) == torch.from_numpy(samples.test_labels)).double().mean().item()

    with tempfile.TemporaryDirectory() as scratch:
        path = options.out or Path(scratch) / "lisht_convnet.pt"
        torch.save(model.state_dict(), path)
        loaded = ConvNet()
        loaded.load_state_dict(torch.load(path, weights_only=True))
    torch.testing.assert_close(predict(loaded, test_images), logits, rtol=0, atol=0)

    print(f"PyTorch: {accuracy:.2%} of {len(samples.test_labels)} test images", end=" ")
    print(f"in {time.perf_counter() - started:.1f} s; the same after saving and loading")
    return 0 if accuracy > REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())
