"""Structure-aware fuzzing of everything that reads files; see scripts/fuzz.py.

A module for each format makes small files of its own and changes them at the format's own level; `kinds` lists them,
`oracles` says what must hold of what is read, `worker` reads in a process with limits, `campaign` keeps what is found.
"""
