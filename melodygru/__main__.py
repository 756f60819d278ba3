"""`python -m melodygru` is `melodygru`."""

from __future__ import annotations

from melodygru.cli import main

if __name__ == "__main__":
    main()
