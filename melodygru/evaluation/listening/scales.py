"""What listeners are asked.

The scales are those of Yin, Reuben, Stepney and Collins, "Deep learning's shallow gains: a comparative evaluation of
algorithms for automatic music generation", Machine Learning 112, 2023 (https://doi.org/10.1007/s10994-023-06309-w):
stylistic success, aesthetic pleasure, repetition or self-reference, melody, harmony and rhythm. Harmony is left out: a
melody alone has none to be heard. The questions beside the names are in our own words.
"""

from __future__ import annotations

LOWEST, HIGHEST = 1, 7
SCALES = {
    "stylistic_success": ("Stylistic success", "How well does it fit the style?"),
    "aesthetic_pleasure": ("Aesthetic pleasure", "How much do you enjoy it?"),
    "repetition": ("Repetition or self-reference", "How well does it take up again what was heard before?"),
    "melody": ("Melody", "How good is the line of its pitches?"),
    "rhythm": ("Rhythm", "How good is its rhythm?"),
}
"""Of each scale, its name as answers hold it: the name that is shown, and the question; `LOWEST` (low) to `HIGHEST`."""
HEARD = {"no": "No", "perhaps": "Perhaps", "yes": "Yes"}
MAKERS = {"person": "A person", "machine": "A machine"}
