"""What is true of music whatever file it stands in: notes, keys, chords, forms, spelling, originality."""
