"""Activations written down once as mathematics, emitted as exact, fast and tested code."""

__version__ = "0.1.0"
