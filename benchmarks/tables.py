"""What the benchmarks share: the best of several runs, and tables."""

import os
import platform
import time
from pathlib import Path


def best_of(times, work):
    """Seconds of the fastest of several runs, after one that warms up: on a shared machine others are only slower."""
    work()
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def machine():
    """One line on where the figures come from."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text()
        models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
        flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag}" in text]
        name = ", ".join([*models[:1], *flags, *([] if "amx_bf16" in flags or "avx2" not in flags else ["no amx"])])
    return f"{name}; {os.cpu_count()} cores; Python {platform.python_version()}"


def print_table(title, head, rows):
    """A Markdown table."""
    columns = list(zip(*[head, *rows], strict=True))
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    print(f"\n## {title}\n")
    for number, row in enumerate([head, *rows]):
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("| " + " | ".join("-" * width for width in widths) + " |")
