"""How melodies are drawn, whatever is asked of them: from which seed, how daring, how many, of how many candidates."""

from __future__ import annotations

from melodygru.option import FILES, MUSIC, Option, check_all, described, option
from melodygru.records import dataclass

MAX_COUNT = 100_000
FILLINGS = 96
VARIATIONS = 8
FORM_CANDIDATES = 8
"""Candidates of which `infill`, `vary`, and `generate` with a form choose the best, where nothing is said."""

WHOLE = ("generate",)
"""Commands that take what shapes a whole melody, and a melody that is changed has settled."""
WRITING = ("generate", "infill", "vary")
"""Those that write notes: all other wishes hold in each of them."""
DRAWING = (*WRITING, "evaluate")
"""Those that draw from the model, whatever comes of it."""


@dataclass(frozen=True)
class SamplingConfig:
    """How the next event is drawn. The defaults were measured: see docs/decisions.md.

    Attributes:
        temperature: divides the logits; 0 takes the likeliest event (argmax).
        top_k: keep the k likeliest events, and all that tie with the k-th; 0 keeps all.
        top_p: keep the fewest likeliest events whose probabilities reach top_p, and ties; 1 keeps all.
        strength: how many times as closely as learned what is told is followed, see `melodygru.network.guidance`.

    Raises:
        UsageError: a value out of range, named.
    """

    temperature: float = option(
        1.0, "How daring: {low} takes the likeliest event; 1 is as learned; to {high}.",
        low=0, high=10, panel=MUSIC, commands=DRAWING,
    )  # fmt: skip
    top_k: int = option(
        0, "Draw among the K likeliest events; 0: off.", low=0, high=100_000, off=0, panel=MUSIC, commands=DRAWING
    )
    top_p: float = option(
        0.97, "Draw among the fewest events of this probability; 1: off.",
        low=0, above=True, high=1, off=1, panel=MUSIC, commands=DRAWING,
    )  # fmt: skip

    strength: float = option(
        1.0, "How closely to follow what is asked for: 1 is as learned; to {high}.",
        low=0, high=4, panel=MUSIC, commands=DRAWING,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(described(SamplingConfig).values(), self)


SEED = Option(
    "Same seed, same files. Without one, one is drawn and printed.", name="seed", kind=int, low=0,
    remedy="choose a whole number of at least {low}", panel=MUSIC,
)  # fmt: skip
COUNT = Option(
    "How many melodies, all different.", name="count", kind=int, low=1, high=MAX_COUNT, default=1, panel=FILES,
    aliases=("num_outputs", "number", "how_many"),
)  # fmt: skip
AMOUNT = Option("The share of notes to change: {limits}.", name="amount", kind=float, low=0, high=1, default=0.3)
KEEP = Option(
    "What stays: rhythm, contour (rhythm too), or pitches (in their order, in another rhythm).", name="keep",
    choices=("rhythm", "pitches", "contour"), shown="nothing",
)  # fmt: skip

LOCK = Option('What stays as it is: "1-2,5:3-4" (bars; beats of a bar), n3-5 (notes by number).', name="lock")
LOCK_RHYTHM = Option("Where only the rhythm stays, in the same words.", name="lock_rhythm")
LOCK_PITCHES = Option("Where only the pitches stay, in their order.", name="lock_pitches")
LOCKS = (LOCK, LOCK_RHYTHM, LOCK_PITCHES)
STEPS = Option("How many melodies between the two: {limits}.", name="steps", kind=int, low=1, high=100, default=5)
