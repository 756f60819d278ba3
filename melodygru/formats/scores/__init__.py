"""Scores in files -> melodies: MusicXML, ABC and Humdrum **kern."""
