"""New melodies: wishes to a plan, a plan to events, events to a melody and the recipe that makes it again."""
