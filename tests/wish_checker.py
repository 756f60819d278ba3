"""An independent judge of wishes: reads a written file and says which of the options asked for it does not keep.

Knows music and MIDI, and nothing of melodygru: its tables are its own, and it looks at ticks and numbers only.
"""

from fractions import Fraction
from itertools import pairwise

from tests.midi_checker import read_tracks

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SCALES = {
    "major": "2212221",
    "natural minor": "2122122",
    "harmonic minor": "2122131",
    "melodic minor": "2122221",
    "dorian": "2122212",
    "phrygian": "1222122",
    "lydian": "2221221",
    "mixolydian": "2212212",
    "aeolian": "2122122",
    "locrian": "1221222",
    "ionian": "2212221",
    "major pentatonic": "22323",
    "minor pentatonic": "32232",
    "blues": "321132",
    "chromatic": "1" * 12,
}
CHORDS = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10)}
CHORDS |= {"dim": (0, 3, 6), "aug": (0, 4, 8), "sus4": (0, 5, 7), "m7b5": (0, 3, 6, 10), "sus2": (0, 2, 7)}


def pitch_class(name):
    return (LETTERS[name[0]] + name.count("#") - name[1:].count("b")) % 12


def pitch(name):
    octave = int(name[-1])
    return LETTERS[name[0]] + name.count("#") - name[1:-1].count("b") + 12 * (octave + 1)


def scale_of(tonic, name):
    found, at = set(), tonic
    for step in SCALES[name]:
        found.add(at % 12)
        at += int(step)
    return found


def chord_of(symbol):
    """Pitch classes of a chord symbol, None for no chord."""
    if symbol == "N.C.":
        return None
    symbol = symbol.split("/")[0]
    root, quality = (symbol[:2], symbol[2:]) if symbol[1:2] in ("#", "b") else (symbol[:1], symbol[1:])
    return {(pitch_class(root) + tone) % 12 for tone in CHORDS[quality]}


def violations(data, wishes, tonic, quarter=480):
    """Everything that a file of one melody breaks of `wishes` (options by name), in a key with this tonic (0..11)."""
    found = []
    numerator, denominator = map(int, wishes.get("meter", "4/4").split("/"))
    bar = quarter * 4 * numerator // denominator
    compound = denominator >= 8 and numerator % 3 == 0 and numerator > 3
    beat = quarter * 4 // denominator * (3 if compound else 1)
    pickup = int(Fraction(wishes.get("pickup", "0")) * 4 * quarter)
    tracks = read_tracks(data)
    notes = sorted(tracks.melody)
    bars = wishes["bars"]
    length = (bars + bool(pickup)) * bar
    if tracks.metre != (numerator, denominator):
        return [f"metre {tracks.metre}"]
    if any(end != length for end in tracks.ends):
        found.append(f"ends at {tracks.ends}, not {length}")
    if not notes:
        return [*found, "no notes"]
    for one, two in pairwise(notes):
        if one.end > two.onset:
            found.append(f"overlap at {two.onset}")
    if notes[-1].end > length:
        found.append("a note over the end")
    if pickup and notes[0].onset != bar - pickup:
        found.append(f"the pickup begins at {notes[0].onset}, not {bar - pickup}")
    if not pickup and notes[0].onset >= bar:
        found.append("nothing in the first bar")
    pitches = [note.pitch for note in notes]
    if "range" in wishes:
        low, high = map(pitch, wishes["range"].split(":"))
        found += [f"pitch {p} outside {wishes['range']}" for p in pitches if not low <= p <= high]
    for one, two in pairwise(pitches):
        if abs(two - one) > wishes.get("max_leap", 127):
            found.append(f"a leap of {two - one}")
    if "contour" in wishes:
        found += _contour(wishes, bars, bar, beat, bar - pickup if pickup else 0, notes)
    row = 1
    for one, two in pairwise(pitches):
        row = row + 1 if one == two else 1
        if row > wishes.get("no_repeat_notes", 10**6):
            found.append(f"{row} equal notes")
    if "scale" in wishes and wishes.get("scale_mode") != "soft" and "chords" not in wishes:
        legal = scale_of(tonic, wishes["scale"])
        found += [f"{p} outside the scale" for p in pitches if p % 12 not in legal]
    if "density" in wishes:
        average = Fraction(len(notes), bars)
        if abs(average - Fraction(wishes["density"])) > 1:
            found.append(f"{float(average)} notes a bar")
    grid = Fraction(wishes.get("grid", "1/16")) * 4 * quarter
    triplets = wishes.get("triplets", not compound)
    for step in {note.onset for note in notes} | {note.end for note in notes}:
        if step % grid:
            span = 2 * quarter if grid == quarter else quarter
            inside = step % bar // span * span + span <= bar and step % bar % (span // 3) == 0
            if not (triplets and inside and grid <= quarter):
                found.append(f"{step} is off the grid")
    begin = bar - pickup if pickup else 0
    stops, starts = [begin, *(n.end for n in notes)], [*(n.onset for n in notes), length]
    gaps = [(a, b) for a, b in zip(stops, starts, strict=True) if b > a]
    # A tune with a pickup may end early, to leave room for it.
    gaps_inside = gaps[:-1] if pickup and gaps and gaps[-1][1] == length else gaps
    rests = wishes.get("rests")
    if rests == "none" and gaps:
        found.append(f"rests {gaps}")
    if rests == "few":
        if len(gaps) > max(1, bars // 4):
            found.append(f"{len(gaps)} rests")
        found += [f"a rest of {b - a}" for a, b in gaps if b - a > beat]
    if rests == "some":
        section, cadence = length - begin, bar
        if "form" in wishes:
            section = bars // len(sections(wishes["form"])) * bar
            cadence = max(section // bar // 4, 1) * bar
        cadence = cadence if section > cadence else section // 2
        for at in range(begin, length - cadence, section):
            stop = at + section - cadence
            for start in range(at, stop, 4 * bar):
                end = min(start + 4 * bar, stop)
                if (end - start >= bar or start == at) and not any(start <= a < end for a, _ in gaps_inside):
                    found.append(f"no rest in {start}..{end}")
    symbols = wishes.get("chords", "").split()

    def chord_at(number):
        """The chord of a bar (from 0): a progression goes round, and begins again with each section it fits into."""
        each = bars // len(sections(wishes["form"])) if "form" in wishes else bars
        return chord_of(symbols[(number % each if len(symbols) <= each else number) % len(symbols)])

    ending = wishes.get("end_on")
    if ending == "tonic" and pitches[-1] % 12 != tonic:
        found.append(f"ends on {pitches[-1]}")
    if "chords" in wishes:
        origin = bar if pickup else 0
        if wishes.get("chord_mode", "strict") == "strict":
            beats = bar // beat
            halves = (0, bar // 2) if beats % 2 == 0 and (beats >= 4 or compound) else (0,)
            for start in range(origin, length, bar):
                chord = chord_at((start - origin) // bar)
                for strong in (start + half for half in halves):
                    found += [
                        f"{n.pitch} on the strong beat {strong}"
                        for n in notes
                        if n.onset <= strong < n.end and chord is not None and n.pitch % 12 not in chord
                    ]
        passes = [chord_at(number) for number in range(bars)]
        last = next((chord for chord in reversed(passes) if chord), None)
        if ending == "chord" and last is not None and pitches[-1] % 12 not in last:
            found.append(f"ends on {pitches[-1]}, outside the last chord")
    if "form" in wishes:
        found += _form(wishes["form"], bars, bar, begin, notes)
    return found


SHAPES = {"arch": [0, 1, 0], "valley": [1, 0, 1], "up": [0, 1], "down": [1, 0], "wave": [0, 1, 0, 1, 0]}


def _contour(wishes, bars, bar, beat, begin, notes):
    """A line of 16 semitones, less in a narrow range, wherever it lies: no note is farther than 5 of 16 from it."""
    low, high = map(pitch, wishes.get("range", "C3:C7").split(":"))
    room = high - low
    span = min(16.0, room - 6 if room >= 12 else room / 2)
    reach = min(max(round(span * 5 / 16), 2), 6)
    each = bars // len(sections(wishes["form"])) * bar if "form" in wishes else bars * bar
    shape = SHAPES[wishes["contour"]]

    def line(at):
        since = at - begin
        # The line has come to its end when the last note, of a beat, is to begin.
        share = 1.0 if since >= bars * bar else min(since % each / max(each - min(beat, bar), 20), 1.0)
        left = min(int(share * (len(shape) - 1)), len(shape) - 2)
        part = share * (len(shape) - 1) - left
        return span * (shape[left] + part * (shape[left + 1] - shape[left]))

    away = [note.pitch - line(at) for note in notes for at in range(note.onset, note.end, 20)]
    found = [] if max(away) - min(away) <= 2 * reach + 1e-9 else [f"{max(away) - min(away)} semitones about a line"]
    stops, starts = [begin, *(note.end for note in notes)], [*(note.onset for note in notes), notes[-1].end]
    for stop, start in zip(stops, starts, strict=True):
        path = [line(at) for at in range(stop, start, 20)]
        if start - stop > beat and max(path) - min(path) > reach / 2 + 1e-9:
            found.append(f"a rest from {stop} to {start} passes the line by")
    return found


def sections(form):
    letters, at = [], 0
    while at < len(form):
        end = at + 1
        while end < len(form) and form[end] == "'":
            end += 1
        letters.append(form[at:end])
        at = end
    return letters


def _form(form, bars, bar, begin, notes):
    letters = sections(form)
    each = bars // len(letters) * bar

    def music(number):
        start = begin + number * each
        return [(n.onset - start, n.pitch) for n in notes if start <= n.onset < start + each]

    found = []
    for number, letter in enumerate(letters):
        first = letters.index(letter)
        if first < number and music(number) != music(first):
            found.append(f"section {number} ({letter}) is not section {first}")
    return found


def section_violations(data, form, own, tonic, quarter=480):
    """What a file in 4/4 breaks of a form with lengths ("V4 C2 V4") and wishes of its sections (letter: options)."""
    bar, at, found = 4 * quarter, 0, []
    tracks = read_tracks(data)
    heard = {}
    notes = sorted(tracks.melody)
    placed = []
    for word in form.split():
        letter, bars = word.rstrip("0123456789"), int(word.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ'"))
        placed.append((letter, at, at + bars * bar))
        at += bars * bar
    if any(end != at for end in tracks.ends):
        found.append(f"ends at {tracks.ends}, not {at}")
    for letter, start, end in placed:
        here = [(n.onset - start, n.end - start, n.pitch) for n in notes if start <= n.onset < end]
        if any(stop > end - start for _, stop, _ in here):
            found.append(f"{letter} sounds beyond its end")
        if heard.setdefault(letter, here) != here:
            found.append(f"{letter} at {start} is not what it was before")
        wishes = own.get(letter[0], {})
        found += [f"{letter}: {fault}" for fault in _in_section(wishes, here, end - start, bar, tonic)]
    return found


def _in_section(wishes, notes, length, bar, tonic):
    """What notes (onset, end, pitch) of one section break."""
    found, bars = [], length // bar
    if "range" in wishes:
        low, high = map(pitch, wishes["range"].split(":"))
        found += [f"{p} outside {wishes['range']}" for *_, p in notes if not low <= p <= high]
    if "scale" in wishes:
        found += [f"{p} outside the scale" for *_, p in notes if p % 12 not in scale_of(tonic, wishes["scale"])]
    pitches = [p for *_, p in notes]
    row = 1
    for one, two in pairwise(pitches):
        row = row + 1 if one == two else 1
        if abs(two - one) > wishes.get("max_leap", 127) or row > wishes.get("no_repeat_notes", 10**6):
            found.append(f"{one} then {two}")
    if wishes.get("triplets") is False:
        step = int(Fraction(wishes.get("grid", "1/16")) * bar)
        found += [f"{at} is off the grid" for note in notes for at in note[:2] if at % step]
    if "density" in wishes and abs(len(notes) / bars - wishes["density"]) > 1:
        found.append(f"{len(notes) / bars} notes a bar")
    stops, starts = [0, *(end for _, end, _ in notes)], [*(onset for onset, *_ in notes), length]
    gaps = [(a, b) for a, b in zip(stops, starts, strict=True) if b > a]
    if wishes.get("rests") == "none" and gaps:
        found.append(f"rests {gaps}")
    if wishes.get("rests") == "few" and (len(gaps) > max(1, bars // 4) or any(b - a > bar // 4 for a, b in gaps)):
        found.append(f"rests {gaps}, too many or too long")
    if wishes.get("rests") == "some" and not gaps:
        found.append("no rest")
    symbols = wishes.get("chords", "").split()
    for number, strong in ((number, number * bar + half) for number in range(bars) for half in (0, bar // 2)):
        if symbols:
            tones = chord_of(symbols[number % len(symbols)])
            found += [f"{p} over {strong}" for on, off, p in notes if on <= strong < off and p % 12 not in tones]
    return found
