"""MIDI files: bytes to notes, notes to a melody on the grid, and a melody to bytes."""
