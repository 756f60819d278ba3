"""Which key a chord progression is in: by its tones, its ends, and where its dominant sevenths lead."""

from __future__ import annotations

from collections.abc import Sequence

from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.key_finding import key_correlations
from melodygru.music.theory import Key

_FIRST, _LAST = 0.3, 0.15
"""Votes for the keys whose tonic triad comes first and last."""
_CADENCE = 0.35
"""Vote for the keys that dominant sevenths resolve to, shared among them."""
_LED = 0.3
"""What is added where a two leads to the dominant: Dm7 G7 C. Half as much, or twice, changes no key of our table."""
_NO_TONIC = 0.35
"""What a key loses whose tonic is heard as a dominant seventh alone."""
_FIFTH = 7
"""Semitones from a tonic up to its dominant."""

DOMINANT, MAJOR, MINOR, DIMINISHED, OPEN = "dominant", "major", "minor", "diminished", "open"


def estimate_key(spans: Sequence[ChordSpan]) -> Key:
    """The major or minor key that a progression suggests; C major where there is nothing to tell from.

    To `key_by_tones` come votes for where dominant sevenths lead, the last one round to the first chord or, where that
    is another, to what it would resolve to. A dominant seventh is no tonic itself, but in a blues. "Dm7 G7 Cmaj7 A7"
    is C major by this.
    """
    heard = _without_repeats(spans)
    if not heard:
        return Key()
    scores = _by_tones(spans)
    led = _resolutions(heard)
    total = sum(led.values())
    for key, vote in led.items():
        scores[key] += min(max(vote, _CADENCE), _CADENCE + _LED) * vote / total
    dominants = {chord.root for chord in heard if kind(chord) == DOMINANT}
    others = {chord.root for chord in heard if kind(chord) != DOMINANT}
    for key in scores:
        if key.tonic in dominants - others and not _is_blues(heard, key.tonic, dominants):
            scores[key] -= _NO_TONIC
    return max(scores, key=lambda key: scores[key])


def key_by_tones(spans: Sequence[ChordSpan]) -> Key:
    """The key by chord tones alone, and by the first and the last chord: as `estimate_key` told it before.

    Krumhansl & Kessler's correlations over the chord tones by duration, and a vote for the keys whose tonic triad comes
    first and last. "Am F C G" is A minor by this, "C G Am F" C major.
    """
    scores = _by_tones(spans)
    return max(scores, key=lambda key: scores[key]) if scores else Key()


def kind(chord: Chord) -> str:
    """What a chord can be in a key, by its third, fifth and seventh; without a third it is open."""
    above = {(tone - chord.root) % 12 for tone in chord.tones}
    if 4 in above:
        return DOMINANT if 10 in above else MAJOR
    if 3 in above:
        return MINOR if _FIFTH in above else DIMINISHED
    return OPEN


def _by_tones(spans: Sequence[ChordSpan]) -> dict[Key, float]:
    """How well each key fits chord tones and ends; nothing where no chord sounds."""
    sounding = [(span.chord, span.end - span.onset) for span in spans if span.chord is not None]
    if not sounding:
        return {}
    weights = [0.0] * 12
    for chord, duration in sounding:
        for tone in chord.tones:
            weights[tone] += duration
    scores = key_correlations(weights)
    for (chord, _), vote in ((sounding[0], _FIRST), (sounding[-1], _LAST)):
        scores[_on(chord)] += vote
    return scores


def _on(chord: Chord) -> Key:
    """The key whose tonic a chord could be."""
    return Key(chord.root, "minor" if (chord.root + 3) % 12 in chord.tones else "major")


def _without_repeats(spans: Sequence[ChordSpan]) -> list[Chord]:
    found: list[Chord] = []
    for span in spans:
        chord = span.chord
        if chord is not None and not (found and (found[-1].root, kind(found[-1])) == (chord.root, kind(chord))):
            found.append(chord)
    return found


def _resolutions(heard: Sequence[Chord]) -> dict[Key, float]:
    """Votes for the keys that dominant sevenths lead to.

    A minor chord that goes on to a dominant itself is a two, and no tonic; nor is another dominant.
    """
    kinds = [kind(chord) for chord in heard]
    votes: dict[Key, float] = {}
    for number, chord in enumerate(heard):
        if kinds[number] != DOMINANT:
            continue
        tonic = (chord.root - _FIFTH) % 12
        before = number - 1
        led = number > 0 and heard[before].root == (tonic + 2) % 12 and kinds[before] in (MINOR, DIMINISHED)
        after = (number + 1) % len(heard)
        if heard[after].root == tonic:
            if kinds[after] not in (MAJOR, MINOR) or (after and kinds[after] == MINOR and _is_two(heard, after)):
                continue
            key = _on(heard[after])
        elif after == 0:
            rests = [one for one, what in zip(heard, kinds, strict=True) if one.root == tonic and what != DOMINANT]
            to_minor = led and kinds[before] == DIMINISHED
            key = _on(rests[0]) if rests else Key(tonic, "minor" if to_minor else "major")
        else:
            continue
        votes[key] = votes.get(key, 0.0) + _CADENCE + _LED * led
    return votes


def _is_two(heard: Sequence[Chord], number: int) -> bool:
    """Whether a dominant a fourth higher follows."""
    following = heard[number + 1 : number + 2]
    return any(kind(one) == DOMINANT and (heard[number].root - one.root) % 12 == _FIFTH for one in following)


def _is_blues(heard: Sequence[Chord], tonic: int, dominants: set[int]) -> bool:
    """Whether a progression begins on this seventh, comes back to it, and has that of its fourth degree too."""
    return heard[0].root == tonic and (tonic + 5) % 12 in dominants and sum(one.root == tonic for one in heard) > 1
