"""What is put around a melody: chords for it, and the tracks that play them."""
