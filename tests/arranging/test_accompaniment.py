"""Accompaniments: what they must never do, whatever the melody, and what each pattern is known by."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.arranging import bass, voicing
from melodygru.arranging.accompaniment import Places, accompany, with_patterns
from melodygru.arranging.arrangement import places_of
from melodygru.arranging.patterns import KIT, book
from melodygru.music.chords import Chord, ChordSpan, lay_out, parse_progression
from melodygru.music.tracks import BASS, CHORDS, DRUMS, PARTS
from tests.strategies import melodies

BOOK = book()
METRES = ["2/4", "3/4", "4/4", "6/8", "9/8", "12/8", "5/4", "7/8", "2/2", "3/8", "1/4", "8/8", "5/16", "11/8"]
SYMBOLS = ["C", "Am7", "F#m7b5", "Bb13", "G7/B", "Edim", "Dsus4", "C5", "Ab+", "N.C."]
everything = settings(max_examples=20, deadline=None)
grooves = st.sampled_from(sorted(BOOK.grooves))


@st.composite
def harmonies(draw, melody):
    """Chords over a melody, with holes, changing anywhere."""
    found, at = [], draw(st.integers(0, melody.time_signature.bar_steps))
    while at < melody.length and len(found) < 12:
        end = min(at + draw(st.sampled_from([12, 24, 48, 96, 7, 200])), melody.length)
        symbol = draw(st.sampled_from(SYMBOLS))
        found.append(ChordSpan(at, end, None if symbol == "N.C." else Chord.parse(symbol)))
        at = end + draw(st.sampled_from([0, 0, 0, 30]))
    return tuple(found)


@st.composite
def pieces(draw):
    """A melody, chords over it, and a groove made of any patterns."""
    melody = draw(melodies(max_notes=12, low=24))
    patterns = {part: draw(st.sampled_from(sorted(BOOK.patterns[part]))) for part in PARTS}
    return melody, draw(harmonies(melody)), with_patterns(BOOK.groove("pop"), patterns, {})


def tune(meter="4/4", bars=8, low=67, key="C"):
    """A plain tune in quarters, well above an accompaniment."""
    metre = TimeSignature.parse(meter)
    notes = tuple(Note(low + (i * 5) % 9, 24 * i, 24) for i in range(bars * metre.bar_steps // 24))
    return Melody(notes, metre, Key.parse(key), bars=bars)


def over(melody, chords):
    return lay_out(parse_progression(chords, melody.time_signature), 0, melody.length)


def played(melody, progression, groove="pop", seed=0, **patterns):
    """The strokes of each part."""
    made = with_patterns(BOOK.groove(groove), patterns, {})
    return {track.part: track.strokes for track in accompany(melody, over(melody, progression), PARTS, made, seed)}


@given(pieces(), st.integers(0, 5))
@everything
def test_nothing_sounds_at_or_above_the_melody_over_a_bar_line_or_into_itself(piece, seed):
    melody, chords, groove = piece
    first = melody.time_signature.bar_steps if melody.pickup else 0
    for track in accompany(melody, chords, PARTS, groove, seed):
        ends = {}
        assert list(track.strokes) == sorted(track.strokes, key=lambda one: (one.onset, one.pitch))
        for stroke in track.strokes:
            assert first <= stroke.onset < stroke.end <= melody.length
            assert stroke.onset >= ends.get(stroke.pitch, 0)
            ends[stroke.pitch] = stroke.end
            if track.part != DRUMS:
                above = [n for n in melody.notes if n.onset < stroke.end and stroke.onset < n.end]
                assert all(stroke.pitch < note.pitch for note in above)


@given(pieces())
@everything
def test_chords_are_chord_tones_within_their_range_and_silent_where_there_is_none(piece):
    melody, chords, groove = piece
    for stroke in accompany(melody, chords, (CHORDS,), groove)[0].strokes:
        [tones] = [
            {*span.chord.tones, span.chord.bass}
            for span in chords
            if span.chord and span.onset <= stroke.onset < span.end
        ]
        assert stroke.pitch % 12 in tones
        assert 33 <= stroke.pitch <= voicing.HIGHEST


@given(pieces(), st.integers(0, 3))
@everything
def test_the_bass_is_one_voice_within_its_range_and_has_the_chords_bass_note_where_one_begins(piece, seed):
    melody, chords, groove = piece
    tracks = {track.part: track.strokes for track in accompany(melody, chords, PARTS, groove, seed)}
    for one, two in pairwise(tracks[BASS]):
        assert one.end <= two.onset
    begins = {span.onset: span.chord for span in chords if span.chord}
    for stroke in tracks[BASS]:
        assert bass.LOWEST <= stroke.pitch <= bass.HIGHEST
        if stroke.onset in begins and groove.patterns[BASS] != "pedal":
            same = [
                s for s in chords if s.end == stroke.onset and s.chord and s.chord.tones == begins[stroke.onset].tones
            ]
            assert same or stroke.pitch % 12 == begins[stroke.onset].bass
        sounding = [s for s in tracks[CHORDS] if s.onset < stroke.end and stroke.onset < s.end]
        assert all(stroke.pitch < other.pitch for other in sounding)


@given(pieces(), st.integers(0, 3))
@everything
def test_the_same_seed_gives_the_same_and_some_bars_are_those_of_the_whole(piece, seed):
    melody, chords, groove = piece
    whole = accompany(melody, chords, PARTS, groove, seed)
    assert whole == accompany(melody, chords, PARTS, groove, seed)
    for one, some in zip(whole, accompany(melody, chords, PARTS, groove, seed, bars=(1, 1)), strict=True):
        assert some.strokes == tuple(stroke for stroke in one.strokes if melody.bar_of(stroke.onset) == 1)


@given(st.lists(st.sampled_from(SYMBOLS[:-1]), min_size=2, max_size=8), st.integers(68, 90))
@everything
def test_a_voicing_never_leaps_as_a_whole_where_there_is_room(symbols, ceiling):
    before = ()
    for symbol in symbols:
        chord = Chord.parse(symbol)
        after = voicing.voice(chord, ceiling, before)
        assert len(after) == len(voicing.tones_of(chord))
        assert not voicing.leaps(before, after) if before else True
        before = after


def test_voices_move_little_and_common_tones_are_held():
    strokes = played(tune(), "C Am F G", chords="block")[CHORDS]
    by_onset = [[s.pitch for s in strokes if s.onset == onset] for onset in (0, 96, 192, 288)]
    for one, two in pairwise(by_onset):
        assert sum(abs(a - b) for a, b in zip(one, two, strict=True)) <= 7
    assert set(by_onset[0]) & set(by_onset[1]) == {p for p in by_onset[0] if p % 12 in (0, 4)}


def test_a_walking_bass_comes_to_each_root_by_step_and_has_chord_tones_on_strong_beats():
    for seed in range(20):
        melody = tune()
        strokes = played(melody, "Dm7 G7 Cmaj7 A7", "swing", seed)[BASS]
        at = {stroke.onset: stroke.pitch for stroke in strokes}
        assert set(at) == set(range(0, melody.length, 24))
        for span in over(melody, "Dm7 G7 Cmaj7 A7"):
            assert at[span.onset] % 12 == span.chord.bass
            assert at[span.onset + 48] % 12 in span.chord.tones
            if span.onset:
                assert 1 <= abs(at[span.onset] - at[span.onset - 24]) <= 2


@pytest.mark.parametrize("meter", METRES)
@pytest.mark.parametrize("groove", sorted(BOOK.grooves))
def test_every_groove_fits_every_metre(groove, meter):
    melody = tune(meter, 4)
    parts = played(melody, "C F G7 C", groove)
    for part in (BASS, DRUMS):
        for bar in range(4):
            first = bar * melody.time_signature.bar_steps
            assert any(stroke.onset == first for stroke in parts[part]), (part, bar)
    bars = {stroke.onset // melody.time_signature.bar_steps for stroke in parts[CHORDS]}
    assert bars == set(range(4)) or meter == "1/4"


def beats_of(strokes, pitch):
    return [stroke.onset for stroke in strokes if stroke.pitch == pitch and stroke.onset < 96]


def test_patterns_are_what_their_names_say():
    melody = tune()
    drums = {name: played(melody, "C", drums=name)[DRUMS] for name in BOOK.patterns[DRUMS]}
    assert beats_of(drums["straight"], KIT["kick"]) == [0, 48]
    assert beats_of(drums["straight"], KIT["snare"]) == [24, 72]
    assert beats_of(drums["four-on-the-floor"], KIT["kick"]) == [0, 24, 48, 72]
    assert beats_of(drums["half-time"], KIT["snare"]) == [48]
    assert beats_of(drums["swing"], KIT["ride"]) == [0, 24, 36, 48, 72, 84]
    lines = {name: played(melody, "C F", bass=name)[BASS] for name in BOOK.patterns[BASS]}
    assert [s.pitch % 12 for s in lines["root-fifth"]][:4] == [0, 7, 5, 0]
    assert {s.pitch % 12 for s in lines["pedal"]} == {0}
    assert [two.pitch - one.pitch for one, two in pairwise(lines["octaves"][:2])] == [12]
    chords = {name: played(melody, "C", chords=name)[CHORDS] for name in BOOK.patterns[CHORDS]}
    low, middle, high = sorted({s.pitch for s in chords["alberti"]})
    assert [s.pitch for s in chords["alberti"]][:4] == [low, high, middle, high]
    assert [s.pitch for s in chords["arpeggio"]][:4] == [low, middle, high, middle]
    assert {s.onset % 48 for s in chords["oom-pah"]} == {24}
    assert len(chords["held"]) == len(chords["pad"]) == 3
    strummed = [s.onset for s in chords["strum"]][:3]
    assert strummed == [0, 1, 2]


def test_chords_have_their_own_bass_where_no_bass_plays():
    melody = tune("3/4")
    chords = over(melody, "C F")
    alone = accompany(melody, chords, (CHORDS,), BOOK.groove("waltz"))[0].strokes
    beside = accompany(melody, chords, (CHORDS, BASS), BOOK.groove("waltz"))[0].strokes
    assert {s.onset % 72 for s in beside} == {24, 48}
    assert {s.onset % 72 for s in alone} == {0, 24, 48}
    assert [s.pitch % 12 for s in alone if s.onset in (0, 72)] == [0, 5]


def test_pads_hold_common_notes_over_the_change():
    strokes = played(tune(), "C Am", chords="pad")[CHORDS]
    assert [s for s in strokes if s.onset == 0 and s.end > 96]


def test_other_sections_and_fills_are_played_another_way():
    melody = tune(bars=16)
    groove, chords = BOOK.groove("pop"), over(tune(bars=16), "C F")
    plain = accompany(melody, chords, (DRUMS,), groove)[0].strokes
    places = places_of(16, [(letter, 4) for letter in "AABA"], True)
    assert places == Places(frozenset(range(9, 13)), frozenset({4, 8, 12, 16}))
    made = accompany(melody, chords, (DRUMS,), groove, 0, places)[0].strokes
    changed = {melody.bar_of(stroke.onset) for stroke in set(plain) ^ set(made)}
    assert changed == {4, 8, 9, 10, 11, 12, 16}
    assert {KIT["ride"]} <= {stroke.pitch for stroke in made} - {stroke.pitch for stroke in plain}
    assert places_of(20, (), True).fills == {8, 16, 20}


def test_a_chord_that_begins_within_a_group_is_struck_there():
    melody = tune(bars=1)
    chords = parse_progression("| C F G Am |", melody.time_signature)
    tracks = {track.part: track.strokes for track in accompany(melody, chords, PARTS, BOOK.groove("pop"))}
    assert [s.pitch % 12 for s in tracks[BASS]] == [0, 5, 7, 9]
    assert {s.onset for s in tracks[CHORDS]} == {0, 24, 48, 72}


def test_what_belongs_to_a_style_is_a_groove_made_for_its_metre():
    from melodygru.writing.styles import STYLES

    named = {style for groove in BOOK.grooves.values() for style in groove.styles}
    assert named == set(STYLES)
    for name, style in STYLES.items():
        found = BOOK.fitting(name, TimeSignature.parse(style.meter))
        assert name in found.styles
        if style.meter == "3/4" and name not in ("air", "minuet"):
            assert found.name == "waltz"
    assert BOOK.fitting(None, TimeSignature(4, 4)).name == "pop"
    assert BOOK.fitting("hymn", TimeSignature(3, 4)).name == "hymn"
