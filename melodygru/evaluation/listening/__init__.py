"""A blind listening test: people's melodies and models', rated by people who are not told which is which."""
