"""How fast does the model write? One event at a time, and many melodies at once.

    python benchmarks/bench_sample.py [--model folk] [--count 1000]

The floor of one event is the model's products of a vector with a matrix, nothing else, as NumPy makes them. Peers are
given the same network with the same weights where they can be installed.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from tables import best_of, machine, print_table

from melodygru import load_model
from melodygru.network.engine import NumpyEngine
from melodygru.network.tokenizer import PieceMeta
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig

EVENTS = 200


def events_of(model):
    """A melody of the model's own, long enough: durations and pitches."""
    config = GenerationConfig.from_dict({"bars": 64, "best_of": 1})
    melody = model.compose(config, 1)[0].melody
    pairs = [(note.duration, note.pitch) for note in melody.notes][:EVENTS]
    return [tuple(np.array([value]) for value in pair) for pair in pairs]


def per_event(work, count):
    return best_of(5, work) / count


def floor(model, count):
    """Seconds an event of the products alone."""
    weights = model.checkpoint.weights
    names = [n for n, w in weights.items() if w.ndim == 2 and n.startswith(("recurrent", "duration", "pitch"))]
    names = [n for n in names if not n.endswith(("given_duration.weight", "given_end.weight", "copy_run"))]
    pairs = [(np.ones((1, weights[n].shape[1]), np.float32), np.ascontiguousarray(weights[n].T)) for n in names]

    def products():
        for _ in range(count):
            for vector, matrix in pairs:
                vector @ matrix

    return per_event(products, count)


def network_only(engine, events):
    """The engine without its context, which stays as it is after these events."""
    state = engine.start([PieceMeta(bars=64)])
    for durations, pitches in events:
        engine.advance(state, durations, pitches)

    def write():
        for durations, _ in events:
            engine._step(state)
            engine.duration_logits(state)
            engine.pitch_logits(state, durations)

    return per_event(write, len(events))


def whole_step(engine, events):
    def write():
        state = engine.start([PieceMeta(bars=64)])
        for durations, pitches in events:
            engine.duration_logits(state)
            engine.pitch_logits(state, durations)
            engine.advance(state, durations, pitches)

    return per_event(write, len(events))


def recorded(engine, events):
    """Copies of the context before each event."""
    from copy import copy

    state = engine.start([PieceMeta(bars=64)])
    contexts = []
    for durations, pitches in events:
        kept = copy(state.context)
        for name, value in vars(kept).items():
            if isinstance(value, np.ndarray) and value.ndim < 3:
                setattr(kept, name, value.copy())
        contexts.append(kept)
        engine.advance(state, durations, pitches)
    return contexts


def torch_layers(model, count):
    """Two layers of torch's GRU alone, a step at a time."""
    import torch

    torch.set_num_threads(1)
    hidden = model.checkpoint.model_config.hidden
    layer = torch.nn.GRU(hidden, hidden, 2)

    def write():
        x, state = torch.zeros(1, 1, hidden), torch.zeros(2, 1, hidden)
        with torch.inference_mode():
            for _ in range(count):
                x, state = layer(x, state)

    return per_event(write, count)


def onnx_step(model, engine, events, contexts):
    """The exported step in onnxruntime."""
    import onnxruntime

    from melodygru.network.onnx_export import onnx_bytes

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes(model.checkpoint), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    outputs = [one.name for one in session.get_outputs()]
    fed = []
    for (durations, _), context in zip(events, contexts, strict=True):
        known = {name: getattr(context, name).astype(np.int64) for name in names if hasattr(context, name)}
        fed.append({**known, "durations": durations.astype(np.int64)})

    def write():
        states = {name: np.zeros((1, engine.config.hidden), np.float32) for name in names if name.startswith("state_")}
        for inputs in fed:
            found = session.run(outputs, {**{n: v for n, v in inputs.items() if n in names}, **states})
            found = dict(zip(outputs, found, strict=True))
            states = {name: found[f"next_{name}"] for name in states}

    return per_event(write, len(events))


def one_event(model):
    engine, events = model.engine, events_of(model)
    contexts = recorded(engine, events)
    least = floor(model, len(events))
    numpy = NumpyEngine(engine.config, model.checkpoint.weights)
    rows = [
        ["products alone (the floor)", least],
        ["network", network_only(engine, events)],
        ["network and what it is told of the melody", whole_step(engine, events)],
        ["the same in NumPy alone, as without a compiler", whole_step(numpy, events)],
        ["torch.nn.GRU, 2 layers of as many units, no heads", torch_layers(model, len(events))],
    ]
    try:
        rows.append(["network, onnxruntime (exported)", onnx_step(model, engine, events, contexts)])
    except ImportError:
        print("onnxruntime is not installed.", file=sys.stderr)
    rows += [["magenta.js, 2 x 128, Node (quoted)", 1.36e-3], ["Magenta melody_rnn, 2 x 128 (quoted)", 10.0e-3]]
    print_table(
        f"One event, batch 1, {engine.config.layers} x {engine.config.hidden}",
        ["times the floor", "microseconds", "what"],
        [[f"{seconds / least:.1f}", f"{1e6 * seconds:,.0f}", name] for name, seconds in rows],
    )


def many(model, count):
    rows = []
    for name, best_of_few in (("chosen of four each, as by default", None), ("the first drawn", count)):
        config = GenerationConfig.from_dict({"bars": 16})
        alone = config if best_of_few is None else replace(config, best_of=1)
        together = replace(config, best_of=best_of_few)
        model.compose(alone, 0)
        began = time.perf_counter()
        for seed in range(12):
            model.compose(alone, seed)
        single = 12 / (time.perf_counter() - began)
        rates = [single]
        for jobs in (1, 2):
            began = time.perf_counter()
            for _ in model.compose_each(Order(together, 5), count, jobs=jobs):
                pass
            rates.append(count / (time.perf_counter() - began))
        rows.append([f"{rates[1] / single:.1f}", f"{rates[2] / single:.1f}", *(f"{r:.1f}" for r in rates), name])
    head = ["times, 1 process", "times, 2 processes", "one at a time", "1 process", "2 processes", "16 bars each"]
    print_table(f"{count:,} melodies at once against one at a time (melodies a second)", head, rows)


def int8(model):
    from melodygru.network.checkpoint import Checkpoint

    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for settings in ({"half": True}, {"int8": True}):
            path = Path(folder) / "model.safetensors"
            model.checkpoint.save(path, **settings)
            began = time.perf_counter()
            Checkpoint.load(path)
            sizes.append((path.stat().st_size, time.perf_counter() - began))
    head = ["bytes", "milliseconds to load", "weights"]
    rows = [
        [f"{size:,}", f"{1e3 * seconds:.1f}", name]
        for (size, seconds), name in zip(sizes, ("float16", "int8"), strict=True)
    ]
    print_table("The file", head, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", default="folk")
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    print(machine())
    model = load_model(arguments.model)
    one_event(model)
    many(model, arguments.count)
    int8(model)


if __name__ == "__main__":
    main()
