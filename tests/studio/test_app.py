"""What the studio answers, and that its files are the command line's."""

import asyncio
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from itertools import pairwise
from random import Random
from urllib.parse import unquote

import httpx
import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melodygru import load_model
from melodygru.cli.group import app
from melodygru.errors import UsageError
from melodygru.evaluation.explanation import summarise
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import read_melodies
from melodygru.music.estimation import told_readings
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.network.trace import trace
from melodygru.studio import answers, messages, writing
from melodygru.studio.models import Models
from melodygru.studio.shelf import MEDIA_TYPES, Shelf, disposition, safe_name
from melodygru.studio.work import BusyError, GoneError, Workers
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from tests.strategies import melodies
from tests.studio_server import ask, events, idle, running, takes

SCALE = [{"pitch": 60 + step, "onset": 24 * n, "duration": 24} for n, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
TUNE = {"name": "Scale", "meter": "4/4", "key": "C major", "bpm": 100.0, "pickup": 0, "bars": 2, "notes": SCALE}
LONGER = {**TUNE, "bars": 4, "notes": [{**note, "onset": note["onset"] + 192 * n} for n in (0, 1) for note in SCALE]}


@pytest.fixture(scope="module")
def studio():
    with running() as served:
        yield served


def post(studio, where, **asked):
    return studio.page.post(f"api/{where}", json=asked)


def fetched(studio, link):
    answer = studio.page.get(link["url"])
    assert answer.status_code == 200
    return answer.content


def run(*arguments):
    """The command line, in this process."""
    with pytest.raises(SystemExit) as ended:
        app(args=[str(argument) for argument in arguments])
    assert not ended.value.code, arguments


def refused(answer, *words, status=422):
    """That an answer is one sentence with these words."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"}
    detail = answer.json()["detail"]
    assert detail.endswith(".")
    assert "Traceback" not in detail
    for word in words:
        assert str(word) in detail
    return True


def test_there_is_something_to_choose_from(studio):
    choices = studio.page.get("api/choices").json()
    assert choices["default_model"] == "repertoire"
    repertoire = choices["models"][0]
    assert (repertoire["default_style"], repertoire["unheard_of"]) == ("song", [])
    (folk,) = (one for one in choices["models"] if one["name"] == "folk")
    assert folk == {
        "name": "folk", "pieces": 3829, "notes": 648438, "nats_per_note": folk["nats_per_note"], "typical_run": 11.5,
        "default_style": None, "unheard_of": ["style", "syncopation", "leaps", "strength"],
    }  # fmt: skip
    assert choices["styles"]["waltz"]["meter"] == "3/4"
    assert choices["feels"]["lullaby"]["options"]["style"] == "song"
    assert choices["words"]["rests"] == ["none", "few", "some", "many"]
    assert "blues" in choices["scales"]
    assert len(choices["instruments"]) == 128
    assert choices["instruments"][40] == "Violin"
    assert choices["keeps"] == ["rhythm", "pitches", "contour"]


def test_every_wish_of_the_command_line_can_be_asked_for():
    assert list(messages.Options.model_fields) == [
        *(field.name for field in fields(GenerationConfig)),
        *("tonic", "mode"),  # a key may be said by halves
    ]


@pytest.mark.parametrize("name", sorted(set(messages.LIMITS) & {field.name for field in fields(GenerationConfig)}))
def test_limits_are_those_of_the_command_line(studio, name):
    low, high = messages.LIMITS[name]
    needed = {"beats_per_chord": {"chords": "C " * 8}, "section_bars": {"form": "A"}}.get(name, {})
    GenerationConfig.from_dict({**needed, name: high})
    if name != "top_p":
        GenerationConfig.from_dict({**needed, name: low})
    for beyond in (low - 1, high + 1):
        with pytest.raises(UsageError):
            GenerationConfig.from_dict({**needed, name: beyond})
        refused(post(studio, "generate", options={**needed, name: beyond}), f"options.{name} is {beyond}")


def heard(told, start):
    """Notes of every candidate, by the rule of the description: each takes the place of all that is not before it."""
    candidates = [[] for _ in range(start["candidates"])]
    for kind, rows in told:
        if kind == "notes":
            for number, onset, duration, pitch in rows:
                notes = candidates[number]
                while notes and notes[-1][0] >= onset:
                    notes.pop()
                if pitch >= 0:
                    notes.append((onset, duration, pitch))
    return candidates


WISHES = [
    {"bars": 8, "key": "A minor"},
    {"bars": 4, "meter": "6/8", "pickup": "1/8", "bpm": 90},
    {"bars": 4, "chords": "Am F C G", "key": "A minor", "rests": "some"},
    {"form": "AABA", "section_bars": 2, "best_of": 5},
    {"bars": 4, "best_of": 6, "temperature": 1.3},
    {"bars": 6, "max_leap": 4, "max_copy": 4, "no_repeat_notes": 1, "key": "D dorian"},
    {"bars": 3, "meter": "12/4", "density": 2, "range": "C4:C5", "temperature": 3},
    {"bars": 2, "temperature": 0.5, "top_k": 5, "top_p": 0.9},
]


@pytest.mark.parametrize("options", WISHES, ids=str)
@pytest.mark.parametrize("seed", [1, 8])
def test_notes_come_before_takes_and_are_the_takes_own(studio, options, seed):
    told = ask(studio, options=options, seed=seed, takes=2)
    kinds = [kind for kind, _ in told]
    assert kinds[0] == "start"
    assert kinds[-3:] == ["take", "take", "done"]
    assert "notes" in kinds[1 : kinds.index("take")]
    assert kinds.count("start") == kinds.count("done") == 1
    start = told[0][1]
    candidates = heard(told, start)
    for index, take in enumerate(data for kind, data in told if kind == "take"):
        melody = take["melody"]
        assert take["index"] == index
        for name in ("meter", "key", "bpm", "bars", "pickup"):
            assert melody[name] == start[name], name
        assert start["length"] == (start["bars"] + bool(start["pickup"])) * start["bar_steps"]
        whole = [(note["onset"], note["duration"], note["pitch"]) for note in melody["notes"]]
        seen = candidates[take["number"]]
        # The last note may be held to the bar line.
        assert seen[:-1] == whole[:-1]
        assert seen[-1][::2] == whole[-1][::2]
        if not {"best_of", "form"} & set(options):
            assert take["number"] // (start["candidates"] // start["takes"]) == index
        assert take["run"]["of"] == len(whole)
        assert options.items() <= take["options"].items()
        assert take["options"]["style"] == "song"


@pytest.mark.parametrize("include", [True, False])
def test_notes_after_a_primer_are_the_takes_own_too(studio, include):
    primer = {**TUNE, "meter": "3/4", "bars": 0, "pickup": 24}
    primer["notes"] = [{"pitch": 62, "onset": 48, "duration": 24}, {"pitch": 67, "onset": 72, "duration": 30}]
    told = ask(studio, primer=primer, include_primer=include, options={"bars": 4}, seed=5)
    start, take = told[0][1], told[-2][1]
    whole = [(note["onset"], note["duration"], note["pitch"]) for note in take["melody"]["notes"]]
    seen = heard(told, start)[take["number"]]
    assert seen[:-1] == whole[:-1]
    assert (start["bars"], start["pickup"], start["meter"]) == (4, 24 if include else 0, "3/4")
    assert (take["melody"]["bars"], take["melody"]["pickup"]) == (start["bars"], start["pickup"])
    assert ((48, 24, 62) in whole) is include


class Told:
    """A job that keeps what it is told."""

    def __init__(self):
        self.rows = []

    def check(self):
        pass

    def tell(self, what):
        self.rows += json.loads(what.split(b"data: ")[1])


@pytest.fixture(scope="module")
def folk():
    return load_model("folk")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_drawn_and_drawn_again_the_last_notes_are_seen(folk, data):
    made = folk.planned(Order(GenerationConfig(bars=4), 0))
    listener = writing._Listener(Told(), made, 1, False)
    truth = {}
    at, length = 0, made.meta.length
    for _ in range(data.draw(st.integers(1, 25))):
        if truth and data.draw(st.booleans()):  # back to one of its own events
            at = data.draw(st.sampled_from(sorted(truth)))
            truth = {onset: event for onset, event in truth.items() if onset < at}
        if at >= length:
            break
        duration = data.draw(st.integers(1, min(96, length - at)))
        before = max(truth, default=None)
        can_tie = before is not None and truth[before][1] != 128
        pitch = data.draw(st.sampled_from([60, 62, 128, 129] if can_tie else [60, 62, 128]))
        truth[at] = duration, pitch
        listener({0: (at, duration, pitch)})
        at += duration
    listener.flush()
    notes = []
    for onset, (duration, pitch) in sorted(truth.items()):
        if pitch == 129:
            notes[-1] = (notes[-1][0], notes[-1][1] + duration, notes[-1][2])
        elif pitch < 128:
            notes.append((onset, duration, pitch))
    assert heard([("notes", listener.job.rows)], {"candidates": 1})[0] == notes


@pytest.mark.parametrize("options", WISHES, ids=str)
def test_files_are_to_the_byte_what_the_command_line_writes(studio, tmp_path, options):
    found = takes(studio, options=options, seed=3, takes=2)
    said = []
    for name, value in options.items():
        said += [f"--{name.replace('_', '-')}", value]
    run("generate", *said, "--seed", 3, "--count", 2, tmp_path)
    written = sorted(tmp_path.iterdir())
    assert [take["file"]["name"] for take in found] == [path.name for path in written]
    for take, path in zip(found, written, strict=True):
        assert fetched(studio, take["file"]) == path.read_bytes()


def test_a_file_can_be_made_again_from_what_it_says(studio, tmp_path):
    made = {"generate": takes(studio, options={"bars": 4}, seed=7, primer=TUNE)[0]}
    made["infill"] = post(studio, "infill", melody=LONGER, bars="2-3", seed=2).json()
    made["vary"] = post(studio, "vary", melody=LONGER, amount=0.4, keep="rhythm", bars="2-4", seed=2).json()
    for command, take in made.items():
        assert take["made_by"] == command
        target = tmp_path / f"{command}.mid"
        target.write_bytes(fetched(studio, take["file"]))
        run("replay", target, tmp_path / f"{command} again.mid")
        assert (tmp_path / f"{command} again.mid").read_bytes() == target.read_bytes()


@pytest.mark.parametrize("include", [True, False])
def test_what_goes_on_from_a_file_is_the_command_lines_too(studio, tmp_path, include):
    (tmp_path / "Scale.mid").write_bytes(midi_bytes(messages.Melody(**TUNE).tune()))
    said = "--include-primer" if include else "--no-include-primer"
    target = tmp_path / "out.mid"
    run("generate", "--primer", tmp_path / "Scale.mid", said, "--bars", 4, "--seed", 5, target)
    take = takes(studio, primer=TUNE, include_primer=include, options={"bars": 4}, seed=5)[0]
    assert fetched(studio, take["file"]) == target.read_bytes()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"feel": "lullaby", "options": {"bars": 4}}, ["--feel", "lullaby", "--bars", 4, "--program", 0]),
        ({"feel": "riff", "options": {"bpm": 90.0}}, ["--feel", "riff", "--bpm", 90]),
        ({"feel": "anthem", "model": "folk", "options": {"bars": 4}},
         ["--feel", "anthem", "--model", "folk", "--bars", 4]),
        ({"options": {"style": "waltz", "bars": 4, "syncopation": "much", "leaps": "few", "rests": "many"}},
         ["--style", "waltz", "--bars", 4, "--syncopation", "much", "--leaps", "few", "--rests", "many"]),
        ({"model": "folk", "options": {"bars": 4}}, ["--model", "folk", "--bars", 4]),
        ({"options": {"form": "V2 C2", "section": "C: feel='anthem' density='3'; V: rests='few'", "seams": "free"}},
         ["--form", "V2 C2", "--section", "C: feel=anthem density=3", "--section", "V: rests=few", "--seams", "free"]),
        ({"model": "folk", "options": {"form": "A2 B2", "section": "B: feel=topline"}},
         ["--model", "folk", "--form", "A2 B2", "--section", "B: feel=topline"]),
    ],
    ids=str,
)  # fmt: skip
def test_styles_and_feels_are_the_command_lines_too(studio, tmp_path, asked, said):
    run("generate", *said, "--seed", 5, tmp_path / "out.mid")
    take = takes(studio, seed=5, **asked)[0]
    assert fetched(studio, take["file"]) == (tmp_path / "out.mid").read_bytes()


def test_a_file_that_does_not_say_its_metre_is_read_in_the_one_that_is_chosen(studio):
    stream = mido.MidiFile(tracks=[mido.MidiTrack()])
    for i in range(40):
        stream.tracks[0].append(mido.Message("note_on", note=60 + (i * i) % 7, velocity=80))
        stream.tracks[0].append(mido.Message("note_off", note=60 + (i * i) % 7, time=480))
    held = io.BytesIO()
    stream.save(file=held)
    opened = studio.page.post("api/open?name=a.mid", content=held.getvalue()).json()
    [told] = [text for text in opened["remarks"] if text.startswith("metre estimated")]
    close = told_readings(told)
    assert opened["readings"] == ([{"meter": m, "pickup": p} for m, p in close] if len(close) > 1 else [])
    asked = {"name": "a.mid", "meter": "5/4", "pickup": 2}
    [melody] = studio.page.post("api/open", params=asked, content=held.getvalue()).json()["melodies"]
    assert (melody["meter"], melody["pickup"]) == ("5/4", 48)
    refused(studio.page.post("api/open", params={**asked, "meter": "x"}, content=held.getvalue()), "x")


def test_a_melody_goes_on_in_a_style_that_is_said_or_that_its_file_says(studio, tmp_path):
    run("generate", "--style", "mazurka", "--bars", 4, "--seed", 1, tmp_path / "a.mid")
    opened = studio.page.post("api/open?name=a.mid", content=(tmp_path / "a.mid").read_bytes()).json()
    assert opened["style"] == "mazurka"
    plain = midi_bytes(messages.Melody(**TUNE).tune())
    assert studio.page.post("api/open?name=b.mid", content=plain).json()["style"] is None
    melody, style = opened["melodies"][0], {"style": opened["style"]}
    filled = post(studio, "infill", melody=melody, bars="2", options={**style, "best_of": 4}, seed=1).json()
    assert filled["options"]["style"] == "mazurka"
    run("infill", tmp_path / "a.mid", tmp_path / "b.mid", "--bars", 2, "--best-of", 4, "--seed", 1)
    assert filled["melody"]["notes"] == [
        {"pitch": note.pitch, "onset": note.onset, "duration": note.duration}
        for note in read_melodies(tmp_path / "b.mid")[0].notes
    ]
    longer = takes(studio, primer=filled["melody"], options={**style, "bars": 6}, seed=1)[0]
    assert (longer["melody"]["meter"], longer["options"]["style"]) == ("3/4", "mazurka")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"feel": "nothing"}, ["There is no feel 'nothing'", "lullaby"]),
        ({"options": {"style": "rock"}}, ["options.style is 'rock'"]),
        ({"model": "folk", "options": {"style": "waltz"}}, ["waltz", "the model folk has learned"]),
        ({"model": "folk", "options": {"leaps": "few"}}, ["the model folk has learned"]),
    ],
)
def test_a_style_or_feel_that_cannot_be_had_is_told(studio, asked, words):
    refused(post(studio, "generate", **asked), *words)


@pytest.mark.parametrize(
    ("command", "asked", "said"),
    [
        ("infill", {"bars": "2-3"}, ["--bars", "2-3"]),
        (
            "infill",
            {"bars": "4", "options": {"chords": "C G", "best_of": 12}},
            ["--bars", "4", "--chords", "C G", "--best-of", 12],
        ),
        ("vary", {"amount": 0.3}, ["--amount", 0.3]),
        (
            "vary",
            {"amount": 1, "keep": "contour", "bars": "1-2"},
            ["--amount", 1, "--keep", "contour", "--bars", "1-2"],
        ),
    ],
)
def test_changes_are_to_the_byte_what_the_command_line_writes(studio, tmp_path, command, asked, said):
    source, target = tmp_path / "Scale.mid", tmp_path / "out.mid"
    source.write_bytes(midi_bytes(messages.Melody(**LONGER).tune()))
    run(command, source, target, *said, "--seed", 4)
    take = post(studio, command, melody=LONGER, seed=4, **asked).json()
    assert fetched(studio, take["file"]) == target.read_bytes()
    melody = read_melodies(target)[0]
    assert [(note["pitch"], note["onset"], note["duration"]) for note in take["melody"]["notes"]] == [
        (note.pitch, note.onset, note.duration) for note in melody.notes
    ]
    if "options" in asked:
        assert [span["symbol"] for span in take["chords"]] == ["C", "G", "C", "G"]
        assert all(span["pitches"] for span in take["chords"])


@pytest.mark.parametrize(
    ("metre", "command", "asked", "chords"),
    [
        ("3/4", "infill", {"bars": "2-3"}, "C Am F G"),
        ("3/4", "vary", {"amount": 0.5, "lock": "1"}, "C Am F G"),
        ("3/4", "generate", {}, "C Am F G"),
        ("6/8", "infill", {"lock": "1,3:1"}, "C Am F G"),
        ("6/8", "vary", {"amount": 0.5}, "vi IV I V"),
        ("6/8", "generate", {}, "vi IV I V"),
    ],
)
def test_in_other_metres_too_pages_and_command_line_write_the_same(studio, tmp_path, metre, command, asked, chords):
    """With the chords read in the melody's metre, degrees in its key."""
    bar = TimeSignature.parse(metre).bar_steps
    notes = [{"pitch": 67 + step, "onset": bar * n // 3, "duration": bar // 3} for n, step in enumerate((0, 2, 4) * 4)]
    tune = {"name": "tune", "meter": metre, "key": "G major", "bpm": 100.0, "pickup": 0, "bars": 4, "notes": notes}
    source, target = tmp_path / "tune.mid", tmp_path / "out.mid"
    source.write_bytes(midi_bytes(messages.Melody(**tune).tune()))
    wishes, options = ["--chords", chords, "--best-of", 2, "--seed", 4], {"chords": chords, "best_of": 2}
    if command == "generate":
        run("generate", "--primer", source, "--include-primer", "--bars", 6, *wishes, target)
        take = takes(studio, primer=tune, options={**options, "bars": 6}, seed=4)[0]
    else:
        run(command, source, target, *(word for name, value in asked.items() for word in (f"--{name}", value)), *wishes)
        take = post(studio, command, melody=tune, seed=4, options=options, **asked).json()
    assert fetched(studio, take["file"]) == target.read_bytes()
    assert [span["end"] - span["onset"] for span in take["chords"]][:4] == [bar] * 4
    symbols = ["C", "Am", "F", "G"] if chords.startswith("C") else ["Em", "C", "G", "D"]
    assert [span["symbol"] for span in take["chords"]][:4] == symbols


def test_what_is_drawn_in_the_middle_of_nothing_stays_where_it_is(studio, tmp_path):
    """A file's music begins with its first note; a page's melody with its first bar."""
    notes = [{"pitch": 60 + n, "onset": 2 * 96 + 48 + 24 * n, "duration": 24} for n in range(8)]
    tune = {**TUNE, "bars": 8, "notes": notes}
    for bars in (None, "2-4"):
        take = post(studio, "vary", melody=tune, amount=1, keep="rhythm", seed=1, bars=bars).json()
        assert [note["onset"] for note in take["melody"]["notes"]] == [note["onset"] for note in notes]
        assert (take["melody"]["bars"], take["melody"]["pickup"]) == (8, 0)
        changed = [old["onset"] for old, new in zip(notes, take["melody"]["notes"], strict=True) if old != new]
        assert changed
        assert bars is None or all(onset < 4 * 96 for onset in changed)
    refused(post(studio, "vary", melody=tune, amount=1, bars="1-2"), "no notes that could be changed")
    # Chords count from the melody's bar 1, notes or not.
    said = {"chords": "C C F F", "chord_mode": "strict", "best_of": 2}
    take = post(studio, "vary", melody=tune, amount=1, keep="rhythm", seed=1, options=said).json()
    assert "".join(span["symbol"] for span in take["chords"]) == "CCFFCCFF"
    strong = [note for note in take["melody"]["notes"] if note["onset"] % 48 == 0]
    assert strong
    for note in strong:
        assert note["pitch"] % 12 in ({0, 4, 7} if note["onset"] // 192 % 2 == 0 else {5, 9, 0})
    take = post(studio, "infill", melody=tune, bars="4", seed=1).json()
    kept = [note for note in take["melody"]["notes"] if not 3 * 96 <= note["onset"] < 4 * 96]
    assert kept == [note for note in notes if not 3 * 96 <= note["onset"] < 4 * 96]
    assert any(3 * 96 <= note["onset"] < 4 * 96 for note in take["melody"]["notes"])
    # Where nothing stands yet, something can be written.
    for bars, start in (("7-8", 6 * 96), ("1", 0)):
        take = post(studio, "infill", melody=tune, bars=bars, seed=1).json()
        new = [note["onset"] for note in take["melody"]["notes"] if note not in notes]
        assert new
        assert all(start <= onset < start + 192 for onset in new)
        (tmp_path / "out.mid").write_bytes(fetched(studio, take["file"]))
        run("replay", tmp_path / "out.mid", tmp_path / f"{start}.mid")
    refused(post(studio, "infill", melody=tune, bars="9", seed=1), "9", "1 to 8")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tune=melodies())
def test_any_melody_at_all_is_changed_or_refused_in_words(studio, tune):
    asked = json.loads(answers.MelodyAnswer.of(tune).model_dump_json())
    for answer in (
        post(studio, "vary", melody=asked, amount=0.5, seed=1, options={"best_of": 2}),
        post(studio, "infill", melody=asked, bars=str(tune.bars), seed=1, options={"best_of": 2}),
    ):
        if answer.status_code == 200:
            melody = answer.json()["melody"]
            assert messages.Melody(**melody).tune().bars >= tune.bars
            assert (melody["meter"], melody["key"]) == (asked["meter"], asked["key"])
        else:
            refused(answer)


def test_looking_inside_tells_what_the_command_tells(studio):
    notes = [*SCALE, {"pitch": 72, "onset": 216, "duration": 264}]
    tune = {**TUNE, "bars": 5, "notes": notes}
    seen = post(studio, "look", melody=tune).json()
    model = load_model()
    own = trace(model.engine, messages.Melody(**tune).tune())
    summary = summarise(own)
    assert seen["nats_per_note"] == pytest.approx(summary.nats_per_note)
    assert seen["first_choice"] == pytest.approx(summary.first_choice)
    assert [note["onset"] for note in seen["notes"]] == [note["onset"] for note in notes]
    # The last note is longer than any event: what ties it on counts with it.
    assert seen["notes"][-1]["nats"] == pytest.approx(float(own.nats.sum(axis=0)[[-3, -2]].sum()))
    for note in seen["notes"]:
        assert len(note["considered"]) == 5
        assert 0 < note["keep"] < 1
        chances = [choice["probability"] for choice in note["considered"]]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) <= 1 + 1e-9
    assert sum(duration for _, duration, _ in seen["keep"]) == 480
    for (onset, duration, _), (later, *_) in pairwise(seen["keep"]):
        assert onset + duration == later
    assert seen["run"]["of"] == 9


def test_a_file_that_is_opened_comes_back_as_it_was_saved(studio):
    link = post(studio, "files", melody=TUNE, format="mid", program=40, swing=0.6, chords="C G").json()
    assert link["name"] == "Scale.mid"
    opened = studio.page.post("api/open", params={"name": "x.mid"}, content=fetched(studio, link)).json()
    assert opened["melodies"] == [{**TUNE, "name": "x", "tempi": []}]
    refused(studio.page.post("api/open", params={"name": "x.mid"}, content=b"no midi"), "x.mid")
    refused(studio.page.post("api/open", params={"name": "x.mid"}, content=b""), "x.mid")


@pytest.mark.parametrize("kind", sorted(MEDIA_TYPES))
def test_files_of_every_kind_can_be_fetched(studio, kind):
    begins = {"mid": b"MThd", "wav": b"RIFF", "musicxml": b"<?xml", "abc": b"%abc", "svg": b"<", "pdf": b"%PDF"}
    link = post(studio, "files", melody=TUNE, format=kind, chords="C | G").json()
    answer = studio.page.get(link["url"])
    assert answer.content.startswith(begins[kind])
    assert answer.headers["content-type"] == MEDIA_TYPES[kind]
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="Scale.{kind}"')
    assert unquote(link["url"].rpartition("/")[2]) == link["name"] == f"Scale.{kind}"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"options": {"bars": 2000}}, ["options.bars", 2000, 1000]),
        ({"options": {"bars": 2.5}}, ["options.bars", 2.5]),
        ({"options": {"bars": True}}, ["options.bars"]),
        ({"options": {"bars": "16"}}, ["options.bars", "'16'"]),
        ({"options": {"colour": "red"}}, ["colour"]),
        ({"options": {"key": "H minor"}}, ["H minor"]),
        ({"options": {"meter": "4/5"}}, ["4/5"]),
        ({"options": {"max_copy": 1}}, ["max-copy", 1]),
        ({"options": {"section_bars": 4}}, ["--form"]),
        ({"options": {"range": "C#4:B4", "key": "C major"}}, ["contradict"]),
        ({"options": {"bars": 1000, "best_of": 10_000}}, ["10000 candidates of 1000 bars"]),
        ({"model": "nothing"}, ["nothing", "folk"]),
        ({"model": "../checkpoints/folk"}, ["folk"]),
        ({"model": "folk.safetensors"}, ["folk"]),
        ({"takes": 9}, ["takes", 9, 8]),
        ({"takes": 0}, ["takes", 0]),
        ({"seed": -1}, ["seed", -1]),
        ({"seed": 2**53}, ["seed", 2**53]),
        ({"primer": {**TUNE, "notes": []}}, ["primer"]),
        ({"primer": {**TUNE, "meter": "6/8", "bars": 0}, "options": {"meter": "4/4"}}, ["6/8", "4/4"]),
        ({"nothing": 1}, ["nothing"]),
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused_before_anything_is(studio, asked, words):
    refused(post(studio, "generate", **asked), *words)


def test_what_goes_wrong_later_is_told_in_the_stream(studio):
    told = ask(
        studio, options={"bars": 1, "temperature": 0, "grid": "1/4", "range": "C4:C4", "rests": "none"}, takes=8, seed=1
    )
    kinds = [kind for kind, _ in told]
    assert kinds[0] == "start"
    assert kinds[-1] == "error"
    assert "different melod" in told[-1][1]["detail"]


BAD_NOTES = {
    "overlapping": [{"pitch": 60, "onset": 0, "duration": 30}, {"pitch": 62, "onset": 24, "duration": 24}],
    "negative onset": [{"pitch": 60, "onset": -24, "duration": 24}],
    "no duration": [{"pitch": 60, "onset": 0, "duration": 0}],
    "pitch": [{"pitch": 128, "onset": 0, "duration": 24}],
    "far away": [{"pitch": 60, "onset": 10**6, "duration": 24}],
    "beyond": [{"pitch": 60, "onset": 192, "duration": 24}],
    "huge": [{"pitch": 60, "onset": 10**300, "duration": 24}],
    "fraction": [{"pitch": 60.5, "onset": 0, "duration": 24}],
    "text": "C D E",
    "null": [None],
    "nested": [[[[[]]]]],
    "more": [{"pitch": 60, "onset": 0, "duration": 24, "colour": 3}],
    "none": [],
}


@pytest.mark.parametrize("kind", BAD_NOTES)
@pytest.mark.parametrize("where", ["vary", "infill", "look"])
def test_notes_that_are_no_melody_are_refused(studio, where, kind):
    more = {"vary": {"amount": 0.5}, "infill": {"bars": "1"}, "look": {}}[where]
    refused(post(studio, where, melody={**TUNE, "notes": BAD_NOTES[kind]}, **more))


@pytest.mark.parametrize("files", [300, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_bad_files_are_melodies_or_sentences(studio, files):
    """Bytes changed, cut, doubled and swapped in a real file; the server lives on."""
    good = midi_bytes(load_model("folk").generate(bars=4, seed=1))
    chance = Random(20)
    read = 0
    for _ in range(files):
        data = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 5, 40))):
            at = chance.randrange(len(data))
            match chance.randrange(5):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(1, 20)]
                case 2:
                    data[at:at] = data[: chance.randrange(1, 40)]
                case 3:
                    data[at] ^= 1 << chance.randrange(8)
                case 4:
                    data[at : at + 4] = chance.randbytes(4)
            data = data or bytearray(b"x")
        name = chance.choice(("x.mid", "x.mid", "x.midi", "x"))
        answer = studio.page.post("api/open", params={"name": name}, content=bytes(data))
        if answer.status_code == 200:
            read += bool(answer.json()["melodies"])
        else:
            refused(answer)
    assert files / 10 < read < files
    assert takes(studio, options={"bars": 1})


def test_many_at_once_get_what_each_would_get_alone(studio):
    options = {"bars": 4, "best_of": 1}
    alone = {seed: takes(studio, options=options, seed=seed)[0]["melody"] for seed in range(6)}

    def one(number):
        if number % 3 == 2:  # looking inside must not be heard by others
            return number, post(studio, "look", melody=TUNE).json()
        return number, takes(studio, options=options, seed=number % 6)[0]["melody"]

    looks = []
    with ThreadPoolExecutor(6) as pool:
        for number, found in pool.map(one, range(24)):
            if number % 3 == 2:
                looks.append(found)
            else:
                assert found == alone[number % 6]
    assert all(found == looks[0] for found in looks)


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("generate", {"options": {"bars": 1000}, "takes": 8}),
        ("look", {"melody": {**TUNE, "bars": 0, "notes": [{**SCALE[0], "onset": 24 * n} for n in range(3900)]}}),
        ("vary", {"melody": {**TUNE, "bars": 0, "notes": [{**SCALE[n % 8], "onset": 24 * n} for n in range(3000)]}}),
    ],
)
def test_work_stops_when_nobody_waits_any_more(studio, where, asked):
    before = time.monotonic()
    with httpx.Client(base_url=studio.url, trust_env=False) as client:
        if where == "generate":
            with client.stream("POST", "api/generate", json=asked, timeout=30) as response:
                told = events(response)
                assert next(told)[0] == "start"
                assert next(told)[0] == "notes"
                assert not studio.workers.idle
        else:
            more = {"amount": 1} if where == "vary" else {}
            with pytest.raises(httpx.ReadTimeout):
                client.post(f"api/{where}", json=asked | more, timeout=0.7)
            assert not studio.workers.idle
    assert idle(studio, 5)
    assert time.monotonic() - before < 15
    assert takes(studio, options={"bars": 1})


def test_more_jobs_than_can_wait_are_refused_and_those_that_stop_make_room():
    async def play():
        workers = Workers(threads=1, waiting=2)
        hold = asyncio.Event()

        def long(job):
            job.tell(b"on")
            while True:
                job.check()
                time.sleep(0.001)

        first = workers.begin(long)
        assert await first.told.get() == b"on"
        second, third = workers.begin(lambda job: 2), workers.begin(lambda job: 3 / 0)
        with pytest.raises(BusyError):
            workers.begin(long)
        first.stop()
        assert await second.result == 2
        assert await second.told.get() is None
        with pytest.raises(ZeroDivisionError):
            await third.result
        with pytest.raises(GoneError):
            await first.result
        fourth = workers.begin(long)
        await fourth.told.get()
        workers.close()
        with pytest.raises(GoneError):
            await fourth.result
        with pytest.raises(BusyError):
            workers.begin(long)
        assert not hold.is_set()

    asyncio.run(play())


def test_too_many_at_once_are_told_so(monkeypatch):
    with running() as studio:
        monkeypatch.setattr(studio.workers, "waiting", 0)
        answer = post(studio, "generate", options={"bars": 1})
        assert refused(answer, "busy", status=503)
        assert answer.headers["retry-after"]


def test_the_shelf_lets_the_oldest_go():
    shelf = Shelf(largest=100)
    kept = [shelf.put(f"tune {n}", "mid", bytes(30)) for n in range(4)]
    found = [shelf.get(url.split("/")[1], name) for url, name in kept]
    assert found[0] is None
    assert [one.name for one in found[1:]] == ["tune 1.mid", "tune 2.mid", "tune 3.mid"]
    mark = kept[3][0].split("/")[1]
    assert shelf.get(mark, "tune 2.mid") is None
    with pytest.raises(UsageError, match="shorter"):
        shelf.put("long", "wav", bytes(101))
    assert shelf.get(mark, "tune 3.mid")


@given(st.text(max_size=200))
def test_any_name_at_all_becomes_one_that_can_be_saved(name):
    plain = safe_name(name)
    assert 1 <= len(plain) <= 81
    assert plain == plain.strip(" .")
    assert not set(plain) & set('/\\:*?"<>|\r\n\0')
    header = disposition(f"{plain}.mid")
    header.encode("ascii")
    assert header.count('"') == 2


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Für Elise", "Für Elise"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("con", "_con"),
        ("CON .x", "_CON .x"),
        ("", "melody"),
        ("a\r\nb", "a__b"),
    ],
)
def test_names_of_files(name, plain):
    assert safe_name(name) == plain


def test_a_file_that_is_gone_is_missed_in_words(studio):
    refused(studio.page.get("files/nothing/here.mid"), "make it again", status=404)


def test_models_are_those_on_the_list_and_stay_loaded(tmp_path, monkeypatch):
    from melodygru.network.model_files import resolve

    folk = resolve("folk").read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "checkpoints" / f"{name}.safetensors").write_bytes(folk)
    (tmp_path / "checkpoints" / "bad.safetensors").write_bytes(folk[:1000])
    (tmp_path / "elsewhere.safetensors").write_bytes(folk)
    models = Models("elsewhere.safetensors")
    assert [facts.name for facts in models.facts()] == ["elsewhere", "a", "b", "c", "folk", "repertoire"]
    first = models.get(None)
    assert models.get("elsewhere") is first
    a = models.get("a")
    models.get("b"), models.get("c")
    assert models.get("a") is a
    assert models.get("elsewhere") is not first
    for name in ("../elsewhere", "checkpoints/a", "a.safetensors", "", ".", "elsewhere.safetensors", "\ud800"):
        with pytest.raises(UsageError, match="choose one of"):
            models.get(name)
    path = tmp_path / "checkpoints" / "a.safetensors"
    import os

    os.utime(path, (1, 1))
    assert models.get("a") is not a


def test_a_melody_with_a_pickup_goes_there_and_back():
    melody = Melody((Note(62, 72, 24), Note(67, 96, 288)), TimeSignature(), Key(7), 90.0, "Über", 24, 3)
    answer = answers.MelodyAnswer.of(melody)
    assert messages.Melody(**json.loads(answer.model_dump_json())).tune() == melody


def test_what_would_be_written_is_told_without_writing_it(studio):
    options = {"chords": "Am F C G", "mode": "minor", "bars": 8}
    assert post(studio, "check", options=options).json() == {
        "key": "A minor", "meter": "4/4", "bpm": 96.0, "bars": 8, "problem": None, "parts": {},
    }  # fmt: skip
    (take,) = takes(studio, options=options, seed=1)
    assert take["melody"]["key"] == "A minor"
    problem = post(studio, "check", options={"meter": "7/8", "grid": "1/4"}).json()["problem"]
    assert "7/8" in problem
    refused(post(studio, "generate", options={"meter": "7/8", "grid": "1/4"}), problem)


def test_chords_lie_under_a_melody_from_its_first_bar_on(studio):
    answer = post(studio, "chords", chords="Am F", meter="3/4", bars=3, pickup=24).json()["chords"]
    assert [(one["onset"], one["end"], one["symbol"]) for one in answer] == [
        (72, 144, "Am"), (144, 216, "F"), (216, 288, "Am"),
    ]  # fmt: skip
    refused(post(studio, "chords", chords="Am Q", meter="4/4", bars=2), "Q")


def test_changes_are_told_as_they_come_and_are_the_same(studio):
    asked = {"melody": LONGER, "bars": "2-3", "seed": 3}
    plain = post(studio, "infill", **asked).json()
    headers = {"Accept": "text/event-stream"}
    with studio.page.stream("POST", "api/infill", json=asked, headers=headers) as response:
        told = list(events(response))
    assert [kind for kind, _ in told if kind != "progress"] == ["take", "done"]
    shares = [data["done"] for kind, data in told if kind == "progress"]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    assert told[-2][1]["melody"] == plain["melody"]
    answer = studio.page.post("api/infill", json={**asked, "bars": "9"}, headers=headers)
    refused(answer, "bars is 9")


def test_a_melody_is_harmonized_and_accompanied_and_saved_with_that(studio):
    ways = post(studio, "harmonize", melody=LONGER, ways=2).json()["ways"]
    assert len(ways) == 2
    assert ways[0]["text"] != ways[1]["text"]
    around = post(studio, "around", melody=LONGER, chords=ways[0]["text"], groove="pop").json()
    assert [lane["part"] for lane in around["lanes"]] == ["chords", "bass", "drums"]
    data = fetched(studio, post(studio, "files", melody=LONGER, chords=ways[0]["text"], lanes=around["lanes"],
                                format="mid").json())  # fmt: skip
    assert b"Drums" in data
    assert b"Bass" in data
    refused(post(studio, "around", melody=LONGER, groove="nothing"), "nothing")
    refused(post(studio, "harmonize", melody={**TUNE, "notes": []}), "no notes")
