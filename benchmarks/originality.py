"""What the originality index weighs and costs, and how much generated tunes share with the training music.

    python benchmarks/originality.py [--model folk] [--count 200] [--bars 16]

For each limit the same seeds: the longest run that a tune shares (median, 95th percentile, longest), its nats per
note under the model, and the time a note as a ratio to no limit. People's tunes that the model has not seen are in
the first row, as they were measured at training.
"""

import argparse
import statistics
import time

from melodygru import load_model
from melodygru.music.originality import OriginalityIndex, line_of
from melodygru.network.tokenizer import Tokenizer
from melodygru.writing.config import GenerationConfig
from melodygru.writing.copy_guard import CopyGuard
from melodygru.writing.planner import plan
from melodygru.writing.sampler import sample
from melodygru.writing.values import DEFAULT_MAX_COPY


def row(name, figures, nats="-", ratio="-"):
    cells = (f"{figures[key]:g}" for key in ("median", "p95", "longest"))
    print(f"| {name} | {figures['pieces']} | {' | '.join(cells)} | {nats} | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--bars", type=int, default=16)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    packed = model.checkpoint.packed_index
    began = time.perf_counter()
    index = OriginalityIndex.from_bytes(packed)
    read = time.perf_counter()
    guard = CopyGuard(index, DEFAULT_MAX_COPY)
    ready = time.perf_counter()
    print(
        f"{index.notes:,} notes of {len(index.names):,} pieces in {len(packed):,} bytes: "
        f"{len(packed) / index.notes:.2f} a note"
    )
    print(f"{1000 * (read - began):.0f} ms to read it, {1000 * (ready - read):.0f} ms to set up a guard")
    melody = model.generate(bars=arguments.bars, seed=0)
    pitches, onsets = (row.tolist() for row in line_of(melody))
    rounds = 50
    began = time.perf_counter()
    for _ in range(rounds):
        for at in range(len(pitches)):
            guard.banned(pitches[:at], onsets[:at], onsets[at])
    print(f"{1e6 * (time.perf_counter() - began) / rounds / len(pitches):.0f} microseconds a call")
    print()
    print("| | tunes | median | 95th percentile | longest | nats per note | time |")
    print("| :--- | ---: | ---: | ---: | ---: | ---: | ---: |")
    if people := model.provenance.get("shared_runs"):
        row("people's tunes, held out", people, f"{model.human_nats_per_note:.3f}")
    plain, tokenizer = None, Tokenizer(model.checkpoint.tokenizer_config)
    for limit in (0, 16, 14, 12, 11, 10, 8, 6):
        config = GenerationConfig(bars=arguments.bars, max_copy=limit)
        began = time.perf_counter()
        made = plan(config, banned=CopyGuard(index, limit).banned if limit else None)
        drawn = sample(model.engine, made.meta, arguments.count, config.sampling, made.ahead, 1)
        seconds = time.perf_counter() - began
        tunes = [tokenizer.decode(one.events) for one in drawn]
        lines = [line_of(tune) for tune in tunes]
        notes = sum(len(tune.notes) for tune in tunes)
        nats = statistics.fmean(one.nats.sum() / len(tune.notes) for one, tune in zip(drawn, tunes, strict=True))
        plain = plain or seconds / notes
        name = "generated, no limit" if not limit else f"generated, --max-copy {limit}"
        row(name, index.distribution(lines), f"{nats:.3f}", f"{seconds / notes / plain:.2f}")


if __name__ == "__main__":
    main()
