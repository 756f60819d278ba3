"""Reading ABC notation."""
