"""The network as it writes: events, what it is told, one step at a time in NumPy, and the file that holds it."""
