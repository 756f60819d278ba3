"""Reading MusicXML."""
