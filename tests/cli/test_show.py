"""Piano rolls, read again from what stands in the terminal, and the pictures."""

import io
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.cli.show_command import Screen
from melodygru.errors import UsageError
from melodygru.formats.midi.writer import write_midi
from melodygru.formats.rolls.columns import DEGREE_COLOURS, FOREIGN_COLOUR
from melodygru.formats.rolls.page import PictureStyle
from melodygru.formats.rolls.piano_roll import ASCII, BLOCKS, piano_roll
from melodygru.formats.rolls.picture import parse_size, roll_picture
from melodygru.music.chords import lay_out, parse_progression
from melodygru.music.spelling import note_name
from melodygru.music.theory import parse_pitch
from tests.command_line import modules_after, run
from tests.strategies import keys, melodies
from tests.tunes import tune

ROW = re.compile(r"( *)([A-G][#b]?-?\d) ([1-7 ]) (\S.*)")
ENDS = "▏▎▍▌▋▊▉"


def text_of(melody, width, encoding="utf-8", bars=None, chords=()):
    """What the command prints into a pipe."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    screen = Screen.of(stream)
    Screen(screen.console, width, screen.signs, screen.encoding).draw(melody, bars, chords)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def systems_in(text):
    """Of each system: its rows as (pitch, degree, columns)."""
    systems, rows = [], []
    for line in [*text.splitlines(), ""]:
        match = ROW.fullmatch(line)
        if match and match[4][0] in "│█▊▉|=":
            rows.append((parse_pitch(match[2]), match[3], match[4]))
        elif not line.strip() or re.fullmatch(r"[\d ╷']*", line):
            systems += [rows] if rows else []
            rows = []
    return systems


def notes_in(text, melody, bars=None):
    """The notes that stand in a roll, as (pitch, onset, end) in steps, without the code that wrote them."""
    column = re.search(r"a column is (\d+/?\d*)", " ".join(text.split()))
    unit, bar = int(Fraction(column[1]) * 96), melody.time_signature.bar_steps
    first = bars[0] if bars else 0 if melody.pickup else 1
    start = (first if melody.pickup else first - 1) * bar
    found = []
    for rows in systems_in(text):
        width = len(rows[0][2])
        assert all(len(columns) == width for _, _, columns in rows)
        # Which step stands in which column: bars of whole columns after their lines, a pickup's bar cut on its left.
        steps, at = {}, start
        lines, column = [], 0
        while column < width - 1:
            lines.append(column)
            hidden = (bar - melody.pickup) // unit if at < bar and melody.pickup else 0
            for inside in range(hidden, bar // unit):
                column += 1
                steps[column] = at + inside * unit
            column += 1
            at += bar
        lines.append(column)
        assert column == width - 1
        for pitch, _, columns in rows:
            before = ""
            # What sounds in the first bar line began in an earlier system.
            note = next((note for note in reversed(found) if note[0] == pitch), None)
            for place, sign in enumerate(columns):
                sounds = sign in BLOCKS.notes or sign in ASCII.notes
                assert sounds or (sign in "│|") == (place in lines)
                goes_on = sign == "=" or (sign not in "▐#" and before and before in "█▐")
                if sounds and place and not (goes_on and before):
                    assert place in steps
                    note = [pitch, steps[place] + (unit // 2 if sign == "▐" else 0), 0]
                    found.append(note)
                if sounds and note and place in steps:
                    note[2] = steps[place] + unit * Fraction(BLOCKS.notes.find(sign) + 1 if sign in ENDS else 8, 8)
                before = sign if sounds else ""
        start = at
    return unit, [tuple(note) for note in found]


def lost_in(text):
    told = " ".join(text.split())
    match = re.search(r"(\d+) notes? begins? later in the column than drawn(?:, and (\d+) (?:is|are) not)?", told)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def check(melody, text, width):
    assert max(map(len, text.splitlines())) <= width
    unit, found = notes_in(text, melody)
    moved, lost = lost_in(text)
    assert len(found) == len(melody.notes) - lost
    if moved or lost:
        assert {(p, at // unit) for p, at, _ in found} == {(note.pitch, note.onset // unit) for note in melody.notes}
        return
    assert sorted((at, pitch) for pitch, at, _ in found) == [(note.onset, note.pitch) for note in melody.notes]
    ends = {note.onset: note.end for note in melody.notes}
    assert all(abs(end - ends[at]) <= unit for _, at, end in found)


@given(melodies(max_notes=12, max_duration=150, min_notes=1), st.integers(40, 200), st.booleans())
def test_every_note_can_be_read_again_from_the_text(melody, width, plain):
    check(melody, text_of(melody, width, "ascii" if plain else "utf-8"), width)


@st.composite
def usual(draw):
    """Melodies of sixteenths, or eighths and triplets, that nearly touch and often repeat a pitch."""
    metre = draw(st.sampled_from(["4/4", "3/4", "6/8", "2/4", "9/8", "5/4"]))
    unit = draw(st.sampled_from([6, 8, 4, 12, 3]))
    pickup = unit * draw(st.integers(0, 3))
    at = TimeSignature.parse(metre).bar_steps - pickup if pickup else 0
    notes = []
    for _ in range(draw(st.integers(1, 60))):
        duration = unit * draw(st.integers(1, 4))
        notes.append(Note(draw(st.sampled_from([60, 60, 62, 64, 65, 67, 68])), at, duration))
        at += duration + unit * draw(st.sampled_from([0, 0, 0, 1]))
    return Melody(tuple(notes), TimeSignature.parse(metre), draw(keys), pickup=pickup)


@given(usual(), st.integers(40, 200), st.booleans())
def test_usual_melodies_are_shown_exactly_at_80_columns(melody, width, plain):
    text = text_of(melody, width, "ascii" if plain else "utf-8")
    check(melody, text, width)
    if not plain and width >= 80:
        assert lost_in(text)[1] == 0


def test_sixteenths_of_one_pitch_stay_apart_in_whole_and_in_half_columns():
    melody = Melody(tuple(Note(67, 6 * i, 6) for i in range(16)))
    row = systems_in(text_of(melody, 40))[0][0]
    assert (row[0], row[1]) == (67, "5")
    assert re.fullmatch(r"│(█*▊){16}│", row[2])
    # Pitches in turn: halves of columns do, and four bars stand side by side.
    melody = Melody(tuple(Note(60 + 4 * (i % 2), 6 * i, 6) for i in range(64)))
    text = text_of(melody, 60)
    assert "▐" in text
    assert len(systems_in(text)) == 1
    check(melody, text, 60)


def test_systems_have_four_bars_and_the_same_columns():
    melody = Melody(tuple(Note(60 + i % 5, 6 * i, 6) for i in range(16 * 16)))
    systems = systems_in(text_of(melody, 80))
    assert len(systems) == 4
    lines = [[at for at, sign in enumerate(rows[0][2]) if sign == "│"] for rows in systems]
    assert lines == [[0, 17, 34, 51, 68]] * 4


def test_a_pickup_is_short_and_hangs_out():
    melody = Melody((Note(67, 72, 24), Note(72, 96, 96), Note(71, 192, 96)), pickup=24)
    roll = piano_roll(melody, 40)
    assert roll.systems[0].ruler.split()[:2] == ["0", "1"]
    first, second = roll.systems[0].ruler.index("1"), roll.systems[0].ruler.index("2")
    assert first - 1 == 1 + 24 // roll.unit
    assert second - first == 1 + 96 // roll.unit
    many = Melody(tuple(Note(60 + i % 3, 90 + 6 * i, 6) for i in range(97)), pickup=6)
    one, two, *_ = text_of(many, 80).split("\n\n")
    at = two.splitlines()[0].index("5")
    assert one.splitlines()[0].index("1") == at
    assert two.splitlines()[1][at - 1] == "│"


def test_notes_over_bar_lines_and_systems_fill_the_line():
    melody = Melody((Note(60, 0, 48), Note(62, 48, 6 * 96), Note(64, 700, 20)))
    rows = [{pitch: columns for pitch, _, columns in rows} for rows in systems_in(text_of(melody, 40))]
    assert rows[0][62].endswith("█")
    assert rows[1][62].startswith("█")
    check(melody, text_of(melody, 40), 40)


def test_only_some_bars():
    melody = tune(3, bars=8)
    text = text_of(melody, 80, bars=(3, 4))
    bar = melody.time_signature.bar_steps
    found = sorted((onset, pitch) for pitch, onset, _ in notes_in(text, melody, (3, 4))[1])
    assert found == [(note.onset, note.pitch) for note in melody.notes if 2 * bar <= note.onset < 4 * bar]
    assert "bars 3-4 shown" in " ".join(text.split())


def test_chords_stand_where_they_begin():
    melody = tune(1)
    metre = melody.time_signature
    chords = lay_out(parse_progression("Am F#m7 | C/G N.C.".replace("|", ""), metre), 0, melody.length)
    lines = text_of(melody, 120, chords=chords).splitlines()
    for symbol, number in (("Am", "1"), ("F#m7", "2"), ("C/G", "3"), ("N.C.", "4")):
        assert lines[0].index(symbol) == lines[1].index(number)


def test_chords_that_do_not_fit_are_counted():
    melody = Melody(tuple(Note(60 + i % 4, 6 * i, 6) for i in range(16)))
    chords = lay_out(parse_progression("| F#m7b5 Bbmaj7 Ebmaj7 Abmaj7 |", melody.time_signature), 0, 96)
    text = " ".join(text_of(melody, 30, chords=chords).split())
    assert "2 chord symbols did not fit" in text
    assert "did not fit" not in text_of(melody, 80, chords=chords)


def test_rows_between_far_pitches_are_left_out():
    melody = Melody((Note(30, 0, 24), Note(100, 24, 24)))
    text = text_of(melody, 80)
    assert "⋮" in text
    assert len(systems_in(text)[0]) == 2


def test_a_silent_system_has_the_tonics_row():
    melody = Melody((Note(62, 0, 24),), bars=40)
    systems = systems_in(text_of(melody, 40))
    assert all(len(rows) == 1 for rows in systems)
    assert {rows[0][0] for rows in systems[1:]} == {60}


@given(st.integers(0, 127), keys)
def test_names_are_of_the_pitch_and_degrees_have_letters_of_their_own(pitch, key):
    name = note_name(pitch, key)
    if name not in ("Cb-1", "B#9"):
        assert parse_pitch(name) == pitch
    letters = [note_name(60 + tone, key)[0] for tone in key.scale]
    assert len(set(letters)) == 7


@pytest.mark.parametrize(
    ("pitch", "key", "name"),
    [(73, "D minor", "C#5"), (70, "C major", "Bb4"), (65, "F# major", "E#4"), (66, "C major", "F#4")],
)
def test_notes_are_spelled_as_musicians_do(pitch, key, name):
    assert note_name(pitch, Key.parse(key)) == name


def test_colours_can_be_seen_on_black_and_on_white():
    for colour in (*DEGREE_COLOURS, FOREIGN_COLOUR):
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        assert 1.05 / (luminance + 0.05) > 3
        assert (luminance + 0.05) / 0.05 > 3


# The command line.


@pytest.fixture
def file(here):
    write_midi(tune(5, bars=8), here / "tune.mid")
    return "tune.mid"


def in_process(*arguments, **environment):
    known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "melodygru", *arguments], capture_output=True, env={**known, **environment}, check=True
    ).stdout


def test_a_pipe_gets_plain_text_of_80_columns(file):
    text = in_process("show", file, PYTHONIOENCODING="utf-8").decode()
    assert "\x1b" not in text
    assert 60 < max(map(len, text.splitlines())) <= 80
    wide = in_process("show", file, PYTHONIOENCODING="utf-8", COLUMNS="150").decode()
    assert 80 < max(map(len, wide.splitlines())) <= 150


def test_ascii_where_blocks_cannot_be_written(file):
    assert in_process("show", file, PYTHONIOENCODING="ascii").decode("ascii").count("#") >= len(tune(5, bars=8).notes)


def on_a_terminal(*arguments, **environment):
    """What a command writes to a terminal of 130 columns."""
    master, slave = pty.openpty()
    known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    known |= {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 130, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "melodygru", *arguments],
        stdin=slave, stdout=slave, stderr=slave, env={**known, **environment},
    ) as process:  # fmt: skip
        os.close(slave)
        written = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            written += part
    os.close(master)
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_unless_it_says_no(file):
    coloured = on_a_terminal("show", file)
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert 80 < max(map(len, bare.splitlines())) <= 130
    check(tune(5, bars=8), bare, 130)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal("show", file, **environment)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["none.mid"], "none.mid cannot be read", 1),
        (["tune.mid", "--bars", "9-12"], "the melody has bars 1 to 8", 2),
        (["tune.mid", "--bars", "a"], "write the first and the last", 2),
        (["tune.mid", "--track", "7"], "has no track '7'", 1),
        (["tune.mid", "--out", "a.jpg"], "a.jpg ends in none of .png, .svg, .pdf", 2),
        (["tune.mid", "--out", "a.png", "--size", "1600"], "write width and height in pixels", 2),
        (["tune.mid", "--out", "a.png", "--size", "30000x100"], "choose a number from 1 to 20000", 2),
        (["tune.mid", "--out", "a.png", "--size", "20000x20000"], "choose at most 100,000,000", 2),
        (["tune.mid", "--out", "a.png", "--size", "100x100"], "too small for letters", 2),
        (["tune.mid", "--out", "a.png", "--dpi", "5"], "dpi is 5; choose a number from 30 to 1200", 2),
        (["tune.mid", "--out", "no/a.png"], "The folder no does not exist", 1),
        (["tune.mid", "--out", "tune.svg"], "tune.svg exists", 1),
        (["tune.mid", "--size", "800x600"], "--size has no meaning without OUT", 2),
        (["tune.mid", "--dark"], "--dark has no meaning without OUT", 2),
    ],
)
def test_what_cannot_be_shown_is_named(file, capsys, arguments, words, code):
    Path("tune.svg").touch()
    assert run("show", *arguments) == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert not list(Path().glob("a.*"))


def test_several_melodies_follow_one_another(here, capsys):
    one = tune(5, bars=4)
    shift = one.length * 300
    metre = one.time_signature
    both = Melody((*one.notes, *(Note(n.pitch, n.onset + shift, n.duration) for n in one.notes)), metre, one.key)
    write_midi(both, "both.mid")
    assert run("show", "both.mid") == 0
    out = capsys.readouterr().out
    assert "both:" in out
    assert "both #2:" in out
    assert run("show", "both.mid", "--out", "both.png", "--size", "400x300") == 0
    assert sorted(path.name for path in Path().glob("*.png")) == ["both-01.png", "both-02.png"]


def test_generate_shows_what_it_wrote(here, capsys):
    assert run("generate", "--model", "toy", "--bars", 2, "--chords", "Am G", "--seed", 1, "--show", "a.mid") == 0
    out = capsys.readouterr().out
    assert out.startswith("Wrote a.mid: 2 bars")
    melody = Melody.from_midi("a.mid")
    assert re.search(r"^ *Am +G$", out, re.MULTILINE)
    assert len(notes_in(out, melody)[1]) == len(melody.notes)
    assert run("show", "a.mid") == 0
    assert capsys.readouterr().out in out


def test_generate_shows_on_standard_error_beside_a_file(here, capfdbinary):
    assert run("generate", "--model", "toy", "--bars", 2, "--seed", 1, "--show", "-") == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"MThd")
    assert "│" in err.decode()


def test_generate_shows_a_few_of_many_and_no_json(here, capsys):
    assert run("generate", "--model", "toy", "--bars", 1, "--count", 6, "--seed", 1, "--show", "a.mid") == 0
    out = capsys.readouterr().out
    assert [f"a-0{number}: 1 bar" in out for number in range(1, 7)] == [True] * 4 + [False] * 2
    assert "2 more were written" in out
    assert run("generate", "--model", "toy", "--show", "--json", "b.mid") == 2
    assert "--show and --json contradict each other" in capsys.readouterr().err
    assert not Path("b.mid").exists()


def test_infill_and_vary_show_what_they_wrote(here, capsys):
    assert run("generate", "--model", "toy", "--bars", 4, "--seed", 1, "a.mid") == 0
    for out, *arguments in (
        ("infilled.mid", "infill", "--bars", "2-3", "--chords", "Am G", "--best-of", 2),
        ("varied.mid", "vary", "--amount", 0.5, "--best-of", 2),
    ):
        arguments += ["--model", "toy", "--seed", 1, "a.mid"]
        capsys.readouterr()
        assert run(*arguments, out, "--show") == 0
        told, drawn = capsys.readouterr().out.split("\n\n", 1)
        assert told.startswith(f"Wrote {out}:")
        assert run("show", out) == 0
        assert capsys.readouterr().out == drawn
        assert ("G" in drawn.split()[:2]) == ("--chords" in arguments)
        assert run(*arguments, "none.mid", "--show", "--json") == 2
        assert "--show and --json contradict each other" in capsys.readouterr().err
        assert not Path("none.mid").exists()


@pytest.mark.parametrize(
    ("wishes", "shift"),
    [
        (["--bars", 4, "--chords", "Am F C"], 0),
        (["--form", "AB", "--section-bars", 4, "--chords", "Am F C"], 0),
        (["--bars", 4, "--chords", "Am F C", "--primer-notes", "C4/4 D4/4 E4/2 F4/4"], 0),
        (["--bars", 3, "--chords", "Am F C", "--primer-notes", "C4/1 D4/4", "--no-include-primer"], 1),
        (["--bars", 4, "--pickup", "1/4", "--chords", "Am F C G7"], 0),
    ],
)
def test_the_file_knows_its_chords(here, capsys, wishes, shift):
    arguments = ["generate", "--model", "toy", "--seed", 1, "--temperature", 1, *wishes, "--show", "a.mid"]
    assert run(*arguments) == 0
    drawn = capsys.readouterr().out.split("\n\n", 1)[1]
    assert ("F" if shift else "Am") in drawn.splitlines()[0]
    assert run("show", "a.mid") == 0
    assert capsys.readouterr().out == drawn


def test_showing_imports_no_matplotlib_and_generate_no_rich(file):
    def loaded(*arguments):
        code = f"import sys; sys.argv = ['melodygru', *{arguments!r}]\nfrom melodygru.cli import main\n"
        return modules_after(code + "try: main()\nexcept SystemExit: pass")

    assert "rich" in loaded("show", file)
    assert not loaded("show", file) & {"matplotlib", "torch", "music21", "scipy"}


# Pictures.


def pixels(data):
    from matplotlib.image import imread

    return imread(io.BytesIO(data))


@given(st.integers(60, 200), st.integers(240, 700), st.integers(150, 500), st.booleans())
@settings(max_examples=6)
def test_pictures_have_exactly_the_size_asked_for_and_ink(dpi, width, height, dark):
    style = PictureStyle(dpi, dark)
    if width < 2 * dpi or height < 1.2 * dpi:
        with pytest.raises(UsageError, match="too small"):
            roll_picture(tune(1), "png", (width, height), style)
        return
    image = pixels(roll_picture(tune(1), "png", (width, height), style))
    assert image.shape[:2] == (height, width)
    assert (image[..., :3].mean() < 0.5) == dark
    for colour in {DEGREE_COLOURS[tune(1).key.scale.index(note.pitch % 12)] for note in tune(1).notes}:
        wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert (np.abs(image[..., :3] - wanted).max(axis=-1) < 0.02).sum() > 5


def svg(melody, **wishes):
    return ElementTree.fromstring(roll_picture(melody, "svg", **wishes))


def marks(root):
    return [group.get("id") for group in root.iter() if (group.get("id") or "").startswith("note-")]


@given(melodies(max_notes=12, max_duration=100, min_notes=1))
@settings(max_examples=8)
def test_an_svg_has_a_shape_for_every_note(melody):
    found = marks(svg(melody, size=(900, 500)))
    whole = [mark for mark in found if "goes" not in mark]
    assert len(set(whole)) == len(whole) == len(melody.notes)


def test_an_svg_holds_its_text_as_text_and_is_the_same_every_time():
    melody = Melody(tune(2).notes, tune(2).time_signature, tune(2).key, name="$Tune$ <1> 曲")
    chords = lay_out(parse_progression("Bbm7b5 F", melody.time_signature), 0, melody.length)
    data = roll_picture(melody, "svg", (800, 400), chords=chords)
    assert data == roll_picture(melody, "svg", (800, 400), chords=chords)
    words = {"".join(text.itertext()).strip() for text in ElementTree.fromstring(data).iter() if "text" in text.tag}
    assert {"$Tune$ <1> 曲", "B♭m7♭5", "F", "1", "4"} <= words
    root = ElementTree.fromstring(data)
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(800 * 72 / 96, abs=0.05)


def test_a_pdf_is_one_and_the_same_every_time():
    data = roll_picture(tune(2), "pdf")
    assert data.startswith(b"%PDF")
    assert data == roll_picture(tune(2), "pdf")


def test_long_melodies_stand_in_several_systems_and_some_bars_alone():
    melody = Melody(tuple(Note(60 + i % 12, 12 * i, 12) for i in range(8 * 64)))
    image = pixels(roll_picture(melody, "png"))
    assert image.shape[1] == 1600
    assert image.shape[0] > 1600
    few = svg(melody, bars=(5, 6))
    assert len(marks(few)) == 16
    assert pixels(roll_picture(melody, "png", bars=(5, 6))).shape[0] < 400


@pytest.mark.parametrize("text", ["1600", "0x100", "axb", "20001x10", "-5x5"])
def test_sizes_that_are_none(text):
    with pytest.raises(UsageError):
        parse_size(text)


def test_sizes():
    assert parse_size("1600x600") == (1600, 600)
    assert parse_size(" 16 × 6 ") == (16, 6)


def test_the_command_writes_pictures(file, capsys):
    for name in ("a.png", "a.svg", "a.pdf"):
        assert run("show", file, "--out", name, "--size", "640x320", "--dark") == 0
        assert capsys.readouterr().out == f"Wrote {name}.\n"
        assert Path(name).stat().st_size > 2000
    assert pixels(Path("a.png").read_bytes()).shape[:2] == (320, 640)
    assert run("show", file, "--out", "a.png", "--force") == 0
