"""What `scripts/build_repertoire.py` is made of: the music that shipped models learn from, read and shared out.

`corpora` says what there is, `kinds` what each piece is, `reading` makes pieces (`pieces`) of files and `chords` their
harmony, `works` finds which of them are one work, `manifest` which of those are held out, `audit` counts.
"""
