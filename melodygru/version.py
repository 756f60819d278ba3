"""The version: stated here alone; written into files, checkpoints and the keys of caches."""

__version__ = "0.1.0"
