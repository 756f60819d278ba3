"""Playing together, in time: what is heard over MIDI is answered, continued, varied or accompanied while it sounds."""
