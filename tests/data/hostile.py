"""Readers that misbehave over one file, as no reader should, for processes that are spawned."""

import ctypes
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass

from melodygru.data import preparation


class Unexpected(BaseException):
    """What no reader raises."""


def sleep():
    time.sleep(600)


def spin():
    while True:
        pass


def swallow():
    """Hangs, and catches what is to stop it, for a while."""
    ends = time.monotonic() + 0.3
    while time.monotonic() < ends:
        with suppress(BaseException):
            time.sleep(600)
    time.sleep(600)


def hold():
    """Hangs in compiled code, where no signal is heeded."""
    ctypes.PyDLL(None).sleep(600)


def allocate():
    kept = []
    while True:
        kept.append(bytearray(1 << 24))


def nest(depth=0):
    return nest(depth + 1) + 1


def leave():
    os._exit(3)


def crash():
    ctypes.string_at(0)


def refuse():
    raise Unexpected("so there")


def quit_():
    raise SystemExit(0)


def interrupt():
    raise KeyboardInterrupt


def remove_shards():
    """Takes away the folder that shards are written to."""
    shutil.rmtree(os.environ["SHARDS_OF_TEST"])


@dataclass(frozen=True)
class Hostile(preparation.Reading):
    """Does `deed` over every file whose name has `of` in it."""

    deed: str = ""
    of: str = "bad"

    def __call__(self, paths):
        if any(self.of in os.path.basename(path) for path in paths):
            globals()[self.deed]()
        return super().__call__(paths)
