"""What a model is told apart by."""

from __future__ import annotations

import hashlib

from melodygru.network.checkpoint import Checkpoint


def fingerprint_of(checkpoint: Checkpoint) -> str:
    """Sixteen hexadecimal digits, from a hash of all that decides what the model writes."""
    digest = hashlib.sha256(repr((checkpoint.model_config, checkpoint.tokenizer_config)).encode())
    for name in sorted(checkpoint.weights):
        digest.update(name.encode() + checkpoint.weights[name].astype("<f4", copy=False).tobytes())
    digest.update(checkpoint.packed_index or b"")
    if checkpoint.critic is not None:
        for array in checkpoint.critic.arrays().values():
            digest.update(array.tobytes())
    if checkpoint.ngrams is not None:
        for array in checkpoint.ngrams.arrays().values():
            digest.update(array.tobytes())
    for style in sorted(checkpoint.characters):
        digest.update(style.encode() + checkpoint.characters[style].tobytes())
    return digest.hexdigest()[:16]
