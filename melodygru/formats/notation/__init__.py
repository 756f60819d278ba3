"""Melodies as scores: values, beams, spelling, MusicXML, ABC, pages of notes."""
