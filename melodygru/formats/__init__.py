"""Files of music: MIDI and scores read and written, sound, notation and piano rolls of a melody."""
