"""`melodygru serve`: the studio's routes without its page, for scripts of DAWs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melodygru.cli import options, parameters


def serve(
    port: Annotated[
        int | None,
        typer.Option(help="Where to answer: 0 to 65535; 0 takes any that is free.", show_default="8765, or the next"),
    ] = None,
    osc: Annotated[
        int | None,
        typer.Option(
            help="Answer OSC too, at this UDP port: 0 to 65535; 0 takes any that is free.", show_default="no OSC"
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="The file that tells scripts the address and its secret; only you may read it.",
            show_default="serve.json among your settings",
        ),
    ] = None,
    model: parameters.Model = None,
) -> None:
    """Answer scripts of DAWs on this computer: generate, infill, vary and harmonize for notes that they send.

    Requests are JSON over HTTP, or OSC. docs/live.md has the routes, and examples that regenerate the selected bars.
    Ctrl-C ends it.
    """
    from melodygru.studio.server import Studio
    from melodygru.studio.token import token_file as usual
    from melodygru.studio.token import told

    served = Studio(port, model or options.MODEL.default, page=False, osc=osc)
    path = token_file or usual()
    facts = {"url": served.url, "port": served.port, "osc_port": served.osc_port, "token": served.token}
    with told(path, facts):
        where = f", OSC at port {served.osc_port}" if osc is not None else ""
        typer.echo(f"Scripts are answered at port {served.port}{where}; {path} tells them how (Ctrl-C ends it).")
        served.run()
