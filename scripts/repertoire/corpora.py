"""The collections that shipped models may learn from: where each lies, what it is, and what its credit has to say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Corpus:
    """One collection.

    Attributes:
        name: its folder's, or music21's.
        style: what the network is told it is.
        track: which track of its MIDI files or scores is the melody; see
            `melodygru.formats.midi.extraction.ExtractionConfig`.
        chords: where its chords come from: "symbols", "four parts", "analysis", or "" for nowhere.
        licence: of the files; what they hold is out of copyright.
        credit: what whoever hands a model on has to name.
    """

    name: str
    style: str
    track: str
    chords: str
    licence: str
    credit: str


FOLDERS: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus("lieder", "song", "auto", "analysis", "CC0 1.0", "OpenScore Lieder Corpus"),
        Corpus(
            "polish-songs",
            "song",
            "auto",
            "",
            "CC BY 4.0",
            "The Fryderyk Chopin Institute, polishscores.org",
        ),
        Corpus("mutopia-song", "song", "auto", "", "public domain or CC BY, by file", "Mutopia Project"),
        Corpus(
            "hymns",
            "hymn",
            "top",
            "four parts",
            "public domain",
            "Open Hymnal Project; kulp's hymnal; bbloomf's carols; Mutopia Project",
        ),
        Corpus("standards", "standard", "auto", "symbols", "MIT", "OpenEWLD"),
        Corpus(
            "dances",
            "dance",
            "auto",
            "",
            "CC BY 4.0; public domain or CC BY, by file",
            "The Fryderyk Chopin Institute, polishscores.org; Mutopia Project",
        ),
        Corpus("game", "game", "auto", "", "BSD 3-clause; CC BY 4.0", "Freedoom project; Tanner Helland"),
        Corpus("mutopia-folk", "folk", "auto", "", "public domain or CC BY, by file", "Mutopia Project"),
    )
}
"""Those that lie in folders, by name."""
BOOKS = ("oneill", "ryan", "aird")
"""Those of `melodygru.data.corpora.CORPORA` that are free; all folk."""
MISCELLANY = "miscFolk"
"""Two more files of music21's: American fife tunes, and the Northumbrian Minstrelsy of 1882."""
STYLES = ("folk", "song", "hymn", "standard", "dance", "game")
"""What the network is told of a piece's collection."""
CORPORA = (*BOOKS, MISCELLANY, *FOLDERS)
"""All of them, in the order in which they are read and listed."""


def style_of(corpus: str) -> str:
    """The style of a collection's pieces."""
    return FOLDERS[corpus].style if corpus in FOLDERS else "folk"
