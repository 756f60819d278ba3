"""`melodygru export`: a model for other programs (ONNX), as a page that writes, or as a smaller file (int8)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.progress import tell

if TYPE_CHECKING:
    from melodygru.network.arrays import FloatArray
    from melodygru.network.checkpoint import Checkpoint
    from melodygru.network.tokenizer import Events


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or file.", show_default=False)],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="The file to write: .onnx, .html, or .safetensors with --int8.", show_default=False
        ),
    ],
    int8: Annotated[
        bool, typer.Option("--int8", help="Store large matrices as 8-bit numbers: a smaller .safetensors.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA/", help="With --int8: tell nats per note before and after, on these tunes."),
    ] = None,
    force: parameters.Force = False,
) -> None:
    """Write a model for other programs, as a page, or smaller.

    OUT.onnx holds one step of the network, for any ONNX runtime (needs the onnx package).

    OUT.html is a page that writes melodies in any browser, with no server and no network.

    OUT.safetensors with --int8 is a model as before, in a smaller file.
    """
    from melodygru.errors import UsageError
    from melodygru.network.checkpoint import Checkpoint
    from melodygru.network.config import SUFFIX
    from melodygru.network.model_files import resolve
    from melodygru.system.files import check_target, write_atomically

    kind = out.suffix.lower()
    if kind not in (".onnx", ".html", SUFFIX):
        raise UsageError(f"{out} does not end in .onnx, .html or {SUFFIX}; give OUT the name of one of these.")
    if kind == SUFFIX and not int8:
        raise UsageError(f"{out} would be the model as it is; add --int8 for a smaller one, or give OUT.onnx.")
    if kind != SUFFIX and (int8 or data is not None):
        raise UsageError(f"--int8 and --data go with OUT{SUFFIX}, and {out} is none; leave them out.")
    check_target(out, force)
    path = resolve(model)
    before = path.stat().st_size
    if kind == ".html":
        from melodygru.studio.standalone.making import page

        write_atomically(out, page(path), force=force)
        typer.echo(f"{out}: {_megabytes(out.stat().st_size)}; open it in a browser, also without a network.")
        return
    checkpoint = Checkpoint.load(path)
    if kind == ".onnx":
        from melodygru.network.onnx_export import OPSET, onnx_bytes

        write_atomically(out, onnx_bytes(checkpoint), force=force)
        typer.echo(f"{out}: {_megabytes(out.stat().st_size)}, from {_megabytes(before)}; ONNX opset {OPSET}, float32.")
        if checkpoint.ngrams is not None:
            typer.echo(
                "Its n-grams stay outside: the graph is the network alone, so its pitches are a little less sure."
            )
        return
    pieces = [] if data is None else _tunes(checkpoint, data)
    checkpoint.save(out, half=checkpoint.is_half, int8=True)
    typer.echo(f"{out}: {_megabytes(out.stat().st_size)}, from {_megabytes(before)}; int8 weights.")
    if pieces:
        _tell_cost(pieces, checkpoint, Checkpoint.load(out))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB"


def _tunes(checkpoint: Checkpoint, folder: Path) -> list[Events]:
    from melodygru.data.collection import read_collection
    from melodygru.errors import DataError
    from melodygru.network.tokenizer import Tokenizer

    tokenizer = Tokenizer(checkpoint.tokenizer_config)
    read = read_collection(folder, progress=partial(tell, "reading files"))
    pieces = [tokenizer.encode(melody) for melody in read.pieces]
    if not pieces:
        raise DataError(f"{folder} has no tune that a model could learn from; give --data a folder of melodies.")
    return pieces


def _tell_cost(pieces: list[Events], before: Checkpoint, after: Checkpoint) -> None:
    import numpy as np

    from melodygru.network.likelihood import bootstrap
    from melodygru.network.tokenizer import REST

    notes = np.array([(piece.pitches < REST).sum() for piece in pieces], float)
    one, two = _nats(pieces, before, "the model as it was: events"), _nats(pieces, after, "the smaller model: events")
    low, high = bootstrap(two - one, notes)
    total = notes.sum()
    typer.echo(
        f"Nats per note on {output.counted(len(pieces), 'tune')} ({output.counted(int(total), 'note')}): "
        f"{one.sum() / total:.5f} before, "
        f"{two.sum() / total:.5f} after; {(two - one).sum() / total:+.5f} (95 % interval {low:+.5f} to {high:+.5f})."
    )


def _nats(pieces: list[Events], checkpoint: Checkpoint, what: str) -> FloatArray:
    """(P,) nats of each piece, `what` telling how far it is."""
    import numpy as np

    from melodygru.network.likelihood import event_nats

    return np.array([nats.sum() for nats in event_nats(checkpoint.engine(), pieces, partial(tell, what))])
