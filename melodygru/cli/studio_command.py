"""`melodygru studio`: a page in the browser, and its server on this computer."""

from __future__ import annotations

from typing import Annotated

import typer

from melodygru.cli import options, parameters


def studio(
    port: Annotated[
        int | None,
        typer.Option(help="Where to answer: 0 to 65535; 0 takes any that is free.", show_default="8765, or the next"),
    ] = None,
    model: parameters.Model = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.", show_default="browser")
    ] = True,
) -> None:
    """Open a page in the browser in which melodies are written, drawn, changed, heard and saved.

    It answers this computer alone, at an address that nobody can guess; nothing is sent anywhere. Ctrl-C ends it.
    """
    from melodygru.studio.server import Studio, open_browser

    served = Studio(port, model or options.MODEL.default)
    typer.echo(f"The studio is at {served.url} (Ctrl-C ends it).")
    if browser:
        open_browser(served.url)
    served.run()
