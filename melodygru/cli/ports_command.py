"""`melodygru ports`: the MIDI ports that there are."""

from __future__ import annotations

import typer

from melodygru.cli import parameters


def ports(json: parameters.Json = False) -> None:
    """List the MIDI ports that `melodygru jam` can listen to and play to.

    A part of a name is enough, if only one has it. MIDO_BACKEND=mido.backends.rtmidi/UNIX_JACK lists those of JACK.
    """
    from melodygru.live.ports import names

    inputs, outputs = names()
    if json:
        from melodygru.cli import output

        output.print_json({"inputs": inputs, "outputs": outputs})
        return
    for what, found in (("Inputs", inputs), ("Outputs", outputs)):
        typer.echo(
            f"{what}:" if found else f"{what}: none; plug one in, or make one with `melodygru jam --virtual NAME`."
        )
        for name in found:
            typer.echo(f"  {name}")
