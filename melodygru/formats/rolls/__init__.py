"""Melodies as piano rolls: of characters, and as pictures."""
