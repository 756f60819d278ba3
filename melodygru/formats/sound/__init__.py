"""Melodies as sound, with no soundfont needed."""
