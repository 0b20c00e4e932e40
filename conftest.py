"""What holds for every test run: the frameworks are quiet, and Keras has a backend to run on.

It is set before anything imports TensorFlow or Keras; what the environment says already stays.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
