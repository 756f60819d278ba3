"""What `scripts/build_site.py` is made of: documents as pages (`pages`), a gallery (`gallery`) of what commands write
(`playing`, `clips`), and a look at every link (`checking`).
"""
