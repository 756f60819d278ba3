"""How fast is training on a CPU? The GRU's layer beside torch's layers, and whole steps of the presets.

    python benchmarks/bench_train.py [--threads 1 2] [--data FOLDER] [--steps N] [--variants]

Layers: two, forward and backward, by turns in one process; the floor is what the products alone would take at the
speed that the largest of them reach here (fp32 or bf16, whichever is faster). With --variants, each variant of the loop
that this CPU runs, and no steps; else the one that is used. Steps: `melodygru train` as it is, with
its own layer and with torch's (MELODYGRU_KERNEL=0), and what is lost on padding and outside the network.
"""

import argparse
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import torch
from tables import best_of, machine, print_table
from torch import nn

from melodygru.system.processes import keep_freed_memory
from melodygru.training import gru
from melodygru.training.gru_kernel import chosen, kernel

ROOT = Path(__file__).parent.parent
SHAPES = [(6, 256, 64), (6, 256, 256), (6, 256, 576), (64, 128, 256), (64, 128, 512)]
"""Rows, steps, units: the three presets as they are trained, and larger batches."""


class Stack(nn.Module):
    """Two layers, one after the other, with this loop."""

    def __init__(self, units, loop):
        super().__init__()
        self.layers = nn.ModuleList(gru.GRU(units, units) for _ in range(2))
        self.loop = loop

    def forward(self, x):
        """All states of the upper layer."""
        gru.kernel = lambda: self.loop
        for layer in self.layers:
            x = layer(x)[0]
        return x, None


def product_speed(dtype):
    """Floating-point operations a second of large products, of the shape that suits this machine best."""
    speeds = []
    for rows, inner, columns in ((2048, 2048, 2048), (8192, 512, 1536), (8192, 256, 768)):
        a, b = torch.randn(rows, inner).to(dtype), torch.randn(columns, inner).to(dtype)
        speeds.append(2 * rows * inner * columns / best_of(5, lambda a=a, b=b: nn.functional.linear(a, b)))
    return max(speeds)


def seconds_of(networks, x, gradient):
    """The best of four steps of each network in fp32 and in bf16, all by turns: what disturbs, disturbs all."""

    def step(network, low):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            states = network(x)[0]
        states.backward(gradient.to(states.dtype))

    calls = {(name, low): partial(step, network, low) for name, network in networks.items() for low in (False, True)}
    rounds = [{key: best_of(1, call) for key, call in calls.items()} for _ in range(4)]
    return {key: min(seconds[key] for seconds in rounds) for key in calls}


def layers(threads, loops):
    torch.set_num_threads(threads)
    low = any(loop is not None and loop.bfloat16 for loop in loops.values())
    speed = max(product_speed(torch.float32), product_speed(torch.bfloat16) if low else 0)
    rows = []
    for batch, steps, units in SHAPES:
        torch.manual_seed(0)
        x = torch.randn(batch, steps, units, requires_grad=True)
        gradient = torch.randn(batch, steps, units)
        peers = {
            "gru": nn.GRU(units, units, 2, batch_first=True),
            "lstm": nn.LSTM(units, units, 2, batch_first=True),
        }
        took = seconds_of({**peers, **{name: Stack(units, loop) for name, loop in loops.items()}}, x, gradient)
        operations = 12 * units**2 * batch * steps * 6
        for name in loops:
            own = min(took[name, False], took[name, True])
            seconds = [took[one, kind] for one in (*peers, name) for kind in (False, True)]
            rows.append(
                [
                    f"{took['gru', False] / own:.1f}",
                    f"{min(took['lstm', False], took['lstm', True]) / own:.1f}",
                    f"{own * speed / operations:.2f}",
                    f"2 x {units}, batch {batch}, length {steps}",
                    name,
                    *(f"{1000 * one:,.1f}" for one in seconds),
                ]
            )
    title = f"Two layers, forward and backward, {threads} thread{'s' if threads > 1 else ''} (milliseconds)"
    head = ["times nn.GRU fp32", "times the faster nn.LSTM", "floors", "shape", "variant"]
    head += ["nn.GRU fp32", "nn.GRU bf16", "nn.LSTM fp32", "nn.LSTM bf16", "own fp32", "own bf16"]
    print_table(title, head, rows)
    print(f"\nThe floor: {speed / 1e9:,.0f} GFLOP/s.")


STEPS = """
import cProfile, json, sys, time, tempfile
import torch
import melodygru.training.trainer as trainer
from melodygru.training.batches import epoch_batches, windows
from melodygru.training.run import train
from melodygru.training.torch_network import MelodyGRU
seconds, count, events, padded = 0.0, 0, 0, 0
inside = 0.0
real = trainer.Trainer.step
real_nll = MelodyGRU.nll
real_backward = torch.Tensor.backward
class Enough(Exception):
    pass
def timed(function):
    def call(*arguments, **options):
        global inside
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            inside += time.perf_counter() - began
    return call
def step(self, *arguments, **options):
    global seconds, count, events, inside
    if count == WARM:
        inside = 0.0
    began = time.perf_counter()
    real(self, *arguments, **options)
    if count >= WARM:
        seconds += time.perf_counter() - began
    count += 1
    if count == WARM + STEPS:
        raise Enough
def nll(self, batch, *arguments):
    global events, padded
    if count >= WARM:
        events += int(batch["mask"].sum())
        padded += batch["mask"].numel()
    return real_nll(self, batch, *arguments)
trainer.Trainer.step = step
MelodyGRU.nll = timed(nll)
torch.Tensor.backward = timed(real_backward)
with tempfile.TemporaryDirectory() as out:
    try:
        options = dict(device="cpu", seed=1, epochs=1000, patience=0, init_from="none")
        train(sys.argv[1], out + "/m", preset=sys.argv[2], threads=int(sys.argv[3]), **options)
    except Enough:
        pass
print(json.dumps([events / seconds, inside / seconds, 1 - events / padded]))
"""


def presets(data, threads, steps):
    import json

    rows = []
    for preset in ("tiny", "small", "base"):
        found = {}
        for own in ("1", "0"):
            environment = {**os.environ, "MELODYGRU_KERNEL": own, "OMP_NUM_THREADS": str(threads)}
            code = STEPS.replace("WARM", "6").replace("STEPS", str(steps))
            command = [sys.executable, "-c", code, str(data), preset, str(threads)]
            told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            found[own] = json.loads(told.stdout.splitlines()[-1])
        fast, slow = found["1"], found["0"]
        rows.append(
            [
                f"{fast[0] / slow[0]:.1f}",
                f"{fast[0]:,.0f}",
                f"{slow[0]:,.0f}",
                f"{100 * fast[1]:.0f} %",
                f"{100 * fast[2]:.0f} %",
                preset,
            ]
        )
    print_table(
        f"Steps of `melodygru train`, {threads} thread{'s' if threads > 1 else ''}",
        ["times torch's layer", "events a second", "with torch's layer", "inside the network", "padding", "preset"],
        rows,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--variants", action="store_true")
    arguments = parser.parse_args()
    keep_freed_memory()  # as training does
    print(machine())
    used = kernel()
    names = [variant.name for variant in used.variants] if used else []
    print(f"Variants of the loop that run here, best first: {', '.join(names) or 'none'}.")
    loops = {name: chosen(used, name) for name in names} if arguments.variants else {(names or ["torch"])[0]: used}
    for threads in arguments.threads:
        layers(threads, loops)
    if arguments.variants:
        return
    for threads in arguments.threads:
        presets(arguments.data, threads, arguments.steps)
    print("\nQuoted: Magenta's melody_rnn (lookback, 2 x 128) learns 26,000 to 38,000 sixteenth-steps a second.")


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"\n({time.monotonic() - began:.0f} seconds)")
