"""Which commands there are, where each lives, and what stands of it on the help page."""

from __future__ import annotations

COMMANDS = {
    "generate": (
        "melodygru.cli.generate_command",
        "Write new melodies as MIDI files that loop exactly on their bars and end on the tonic.",
    ),
    "styles": (
        "melodygru.cli.styles_command",
        "List the styles and the feels that melodies can be written in, what each is good for, and how one begins.",
    ),
    "studio": (
        "melodygru.cli.studio_command",
        "Open a page in the browser in which melodies are written, drawn, changed, heard and saved.",
    ),
    "jam": (
        "melodygru.cli.jam_command",
        "Play together, over MIDI, in time: play something, and it is answered, continued, varied or accompanied.",
    ),
    "ports": ("melodygru.cli.ports_command", "List the MIDI ports that `melodygru jam` can listen to and play to."),
    "serve": (
        "melodygru.cli.serve_command",
        "Answer scripts of DAWs on this computer: generate, infill, vary and harmonize for notes that they send.",
    ),
    "infill": (
        "melodygru.cli.change",
        "Write some bars of a melody anew, or all that is not locked; all else in the file stays as it is.",
    ),
    "vary": (
        "melodygru.cli.change",
        "Change a melody by as much as asked for; all else in the file stays as it is.",
    ),
    "harmonize": (
        "melodygru.cli.harmonize_command",
        "Find chords for a melody, and write both: the chords as a track and as symbols.",
    ),
    "arrange": (
        "melodygru.cli.arrange_command",
        "Put chords, a bass and drums around a melody, on tracks of their own.",
    ),
    "blend": (
        "melodygru.cli.blend_command",
        "Write melodies between two, in even steps from A to B, in rhythm and in line: OUT-01.mid, OUT-02.mid …",
    ),
    "play": ("melodygru.cli.hearing", "Play a MIDI file; no soundfont is needed."),
    "render": ("melodygru.cli.hearing", "Write a MIDI file as sound, exactly as long as the clip."),
    "show": ("melodygru.cli.show_command", "Show a melody as a piano roll, in the terminal or as a picture."),
    "score": (
        "melodygru.cli.score_command",
        "Write a melody as a score: MusicXML, ABC, or a page of notes (PDF, SVG, PNG).",
    ),
    "train": ("melodygru.cli.train_command", "Learn the melodies of a folder of MIDI files or scores."),
    "teach": (
        "melodygru.cli.teach_command",
        "Let a model learn to choose: it writes melodies, and learns to tell them from people's.",
    ),
    "inspect": (
        "melodygru.cli.inspect_command",
        "Show what is in a folder of MIDI files or scores, and what training would leave out and why.",
    ),
    "prepare": (
        "melodygru.cli.prepare_command",
        "Read a folder of MIDI files or scores ahead of training, so that training begins at once.",
    ),
    "corpus": ("melodygru.cli.corpus_command", "Write folk tunes as MIDI files: a collection to train on."),
    "info": (
        "melodygru.cli.info_command",
        "Show what a model is: its shape, its training data, its result; or what is in a MIDI file or a score.",
    ),
    "check": (
        "melodygru.cli.check_command",
        "Tell the longest run of notes that stands in a model's training music: how long, in which piece, and where.",
    ),
    "replay": (
        "melodygru.cli.replay_command",
        "Make a file again from what it says of itself, and tell whether the bytes are the same.",
    ),
    "evaluate": ("melodygru.cli.evaluate_command", "Tell how good a model is."),
    "compare": (
        "melodygru.cli.compare_command",
        "Train several kinds of cells under the same conditions, and compare them.",
    ),
    "listen-test": (
        "melodygru.cli.listen_test_command",
        "Let people rate melodies blind: make a page for them, or tell what their answers say.",
    ),
    "explain": ("melodygru.cli.explain_command", "Show what happens inside a model while it hears a melody."),
    "tokens": (
        "melodygru.cli.tokens_command",
        "Show the melody of a MIDI file or a score as the events that the model learns.",
    ),
    "models": (
        "melodygru.cli.models_command",
        "List the models that are here, or fetch one from the Hugging Face Hub.",
    ),
    "export": ("melodygru.cli.export_command", "Write a model for other programs, as a page, or smaller."),
}
"""Of each command, in the order of the help page: the module where its function of that name lives, and the first
sentences of its docstring, so that the help page need not import them all."""
GROUPS = {
    "Make": ("generate", "styles", "studio"),
    "Play together": ("jam", "ports", "serve"),
    "Change": ("infill", "vary", "harmonize", "arrange", "blend"),
    "Hear and see": ("play", "render", "show", "score"),
    "Learn": ("train", "teach", "inspect", "prepare", "corpus"),
    "Look inside": (
        "info",
        "check",
        "replay",
        "evaluate",
        "compare",
        "listen-test",
        "explain",
        "tokens",
        "models",
        "export",
    ),
}
"""The commands by what they are for: panels of the help page."""
GREETING = """melodygru writes melodies that a DAW imports. Three things to type:

  melodygru generate      a new melody, as a MIDI file here
  melodygru studio        a page in the browser: write, change, hear, save
  melodygru --help        everything else
"""
"""What somebody sees who has typed nothing more."""


NEEDS = {
    "studio": ("fastapi", "pydantic", "uvicorn"),
    "train": ("torch", "scipy"),
    "teach": ("torch", "scipy", "sklearn", "threadpoolctl"),
    "inspect": ("scipy",),
    "prepare": ("scipy",),
    "evaluate": ("torch", "scipy", "sklearn", "threadpoolctl", "matplotlib", "jinja2"),
    "compare": ("torch", "scipy", "matplotlib", "jinja2"),
    "listen-test": ("scipy", "jinja2"),
    "explain": ("scipy", "matplotlib", "jinja2"),
}
"""Packages without which a command would end after it had worked for a while; see `melodygru.extras`."""
