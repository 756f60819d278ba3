"""A folder of files to arrays that are learned from: found, read by many processes, kept, grouped into families."""
