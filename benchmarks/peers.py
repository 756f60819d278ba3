"""Melodies a second, size and memory, beside other programs that write music and can be installed from a registry.

    npm install --prefix NODE @magenta/music@1.23.1 && pip download midigpt==0.4.2 --no-deps
    python benchmarks/peers.py --node NODE --midigpt FOLDER      # midigpt's wheel, unpacked there; each may be left out

Each program runs in a process of its own, one thread; told are seconds of processor time for a 16-bar melody (the
median of `--times` after one that warms up), what is read or installed for it, and the largest memory of the process
(Linux: peak RSS).

Weights of others lie on servers that a registry's client does not reach. What a step costs does not hang on what the
weights are, so theirs are random here, in the shape of the published model: speed and memory can be compared, music
cannot. Shapes: magenta.js' melody_rnn, "basic" (38 classes, two LSTM layers of 128 units, a step a sixteenth: 256 for
16 bars of 4/4); midigpt's own default (six layers of 512 units; 330 tokens, three for each of the notes of our melody
of 110). Left out: SkyTNT's midi-model, which is in no registry; Magenta's melody_rnn in Python, whose package wants
Python 3.7 or older.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from tables import machine, print_table

STEPS = 256
"""Sixteenths of 16 bars."""
CLASSES, UNITS, LAYERS = 38, 128, 2
NOTES = 110
TOKENS = 3 * NOTES
MIDIGPT_MB = f"{4 * (6 * 12 * 512**2 + (2 * 647 + 2048) * 512) / 1e6:.0f}"
"""Six layers of twelve matrices of 512 x 512, 647 tokens in and out, 2048 positions; biases left out."""
OURS = """
from melodygru import load_model
model = load_model({model!r})
def write(seed): return model.generate(bars=16, seed=seed, best_of={best})
"""
MIDIGPT = """
import sys; sys.path.insert(0, {folder!r})
import torch
from midigpt.inference.model.gpt2 import GPT2Config, GPT2LMHeadModel
torch.set_num_threads(1); torch.manual_seed(0)
model = GPT2LMHeadModel(GPT2Config()).eval()
def write(seed):
    with torch.no_grad():
        cache, token = model.make_empty_kv(), torch.tensor([[1]])
        for _ in range({tokens}):
            logits, cache = model(token, cache)[:2]
            token = torch.distributions.Categorical(logits=logits[:, -1]).sample()[:, None]
"""
MEASURE = """
import json, resource, time
write(0)
seconds = []
for seed in range(1, {times} + 1):
    began = time.process_time()
    write(seed)
    seconds.append(time.process_time() - began)
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
MAGENTA = """
const { MusicRNN } = require("@magenta/music/node/music_rnn");
const [url, times, steps] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
(async () => {
  console.log = () => {};
  const model = new MusicRNN(url);
  await model.initialize();
  const primer = { notes: [{ pitch: 60, quantizedStartStep: 0, quantizedEndStep: 4 }], totalQuantizedSteps: 4,
                   quantizationInfo: { stepsPerQuarter: 4 } };
  await model.continueSequence(primer, steps, 1.0);
  const seconds = [];
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    await model.continueSequence(primer, steps, 1.0);
    const used = process.cpuUsage(before);
    seconds.push((used.user + used.system) / 1e6);
  }
  process.stdout.write(JSON.stringify([seconds, process.resourceUsage().maxRSS / 1024]) + "\\n");
  process.exit(0);
})();
"""


def measured(command: list[str], **options: object) -> tuple[float, float]:
    """Median seconds and MiB that a process tells in its last line."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads, **options)  # type: ignore
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(seconds), memory


def random_melody_rnn(folder: Path) -> None:
    """A checkpoint of melody_rnn's shape as magenta.js reads it, its weights drawn at random."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(LAYERS):
        cell = f"rnn/multi_rnn_cell/cell_{layer}/basic_lstm_cell/"
        shapes[cell + "kernel"] = ((CLASSES if layer == 0 else UNITS) + UNITS, 4 * UNITS)
        shapes[cell + "bias"] = (4 * UNITS,)
    shapes |= {"fully_connected/weights": (UNITS, CLASSES), "fully_connected/biases": (CLASSES,)}
    random = np.random.default_rng(0)
    data = b"".join(random.normal(0, 0.1, shape).astype("<f4").tobytes() for shape in shapes.values())
    (folder / "weights").write_bytes(data)
    listed = [{"name": name, "shape": list(shape), "dtype": "float32"} for name, shape in shapes.items()]
    (folder / "weights_manifest.json").write_text(json.dumps([{"paths": ["weights"], "weights": listed}]))
    converter = {"type": "MelodyConverter", "args": {"minPitch": 48, "maxPitch": 83}}
    (folder / "config.json").write_text(json.dumps({"type": "MusicRNN", "dataConverter": converter}))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def magenta(node: Path, times: int) -> tuple[float, float]:
    """magenta.js in Node, its weights from a server of our own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_melody_rnn(folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = node / "melodygru-peers.js"
        script.write_text(MAGENTA)
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            return measured(["node", script.name, url, str(times), str(STEPS)], cwd=node)
        finally:
            server.shutdown()
            script.unlink()


def size(*paths: Path) -> str:
    """Megabytes of files and folders."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", type=Path, help="the folder that @magenta/music was installed into")
    parser.add_argument("--midigpt", type=Path, help="the folder that midigpt's wheel was unpacked into")
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    import melodygru

    package = Path(melodygru.__file__).parent
    shipped = package.parent / "checkpoints" / "repertoire.safetensors"
    rows = []

    def row(name: str, work: Callable[[], tuple[float, float]], weights: str, installed: str) -> None:
        seconds, memory = work()
        rows.append((f"{seconds:.3f}", f"{1 / seconds:.2f}", f"{memory:,.0f}", weights, installed, name))

    for best, said in ((1, "the first drawn"), (4, "chosen of four")):
        program = OURS.format(model="repertoire", best=best) + MEASURE.format(times=arguments.times)
        work = partial(measured, [sys.executable, "-c", program])
        row(f"melodygru, {said}", work, size(shipped), size(package))
    if arguments.node:
        modules = arguments.node / "node_modules"
        weights = f"{4 * ((CLASSES + UNITS) + 2 * UNITS) * 4 * UNITS / 1e6 + 4 * UNITS * CLASSES / 1e6:.1f}"
        work = partial(magenta, arguments.node, arguments.times)
        row("magenta.js melody_rnn, Node, random weights", work, weights, size(modules))
    if arguments.midigpt:
        program = MIDIGPT.format(folder=str(arguments.midigpt), tokens=TOKENS) + MEASURE.format(times=arguments.times)
        work = partial(measured, [sys.executable, "-c", program])
        row("midigpt, its default shape, random weights", work, MIDIGPT_MB, size(arguments.midigpt) + " and torch")
    print(machine(), time.strftime("%Y-%m-%d"))
    head = ("seconds", "melodies a second", "MiB", "MB of weights", "MB installed", "16 bars by")
    print_table("Peers", head, rows)


if __name__ == "__main__":
    main()
