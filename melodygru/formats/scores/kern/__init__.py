"""Reading Humdrum **kern."""
