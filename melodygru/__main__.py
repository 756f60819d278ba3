"""`python -m melodygru` is `melodygru`."""

from melodygru.cli import main

if __name__ == "__main__":
    main()
