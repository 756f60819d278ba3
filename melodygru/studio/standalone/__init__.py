"""One HTML file that writes melodies in a browser, with no server: the package's own Python there, in WebAssembly."""
