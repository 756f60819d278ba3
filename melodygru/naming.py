"""Names of files that say what is inside."""

from __future__ import annotations

from melodygru.melody import Melody


def file_names(model: str, melody: Melody, seed: int, count: int) -> list[str]:
    """Of `count` melodies of a model, of which this is the first: folk_Am_120bpm_16bars_s42_01.mid, and so on."""
    key = melody.key
    mode = {"major": "", "minor": "m"}.get(key.mode, key.mode)
    bars = f"{melody.bars}bar" + ("s" if melody.bars != 1 else "")
    stem = f"{model or 'melody'}_{key.tonic_name}{mode}_{melody.qpm:g}bpm_{bars}_s{seed}"
    if count == 1:
        return [f"{stem}.mid"]
    digits = max(2, len(str(count)))
    return [f"{stem}_{number:0{digits}}.mid" for number in range(1, count + 1)]
