"""`melodygru jam`: play together, over MIDI, in time."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import options, parameters
from melodygru.errors import UsageError
from melodygru.option import MUSIC, PORTS, described
from melodygru.system.files import check_target, write_atomically
from melodygru.system.signals import Stopped
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, SEED

if TYPE_CHECKING:
    from melodygru.live.clock import Clock
    from melodygru.live.jam import Inbox
    from melodygru.live.ports import Ports
    from melodygru.live.stage import Settings

MODES = ("call-response", "continue", "loop", "accompany")
MODES_HELP = (
    "Who plays when: call-response, continue, loop or accompany (chords and a bass for the bar to come, which it "
    "guesses from what you have played)."
)
VIRTUAL = "melodygru"
INTERNAL, PLAYER = "internal", "player"
_WISHES = ("style", "key", "scale", "meter", "bpm", "range", "max_leap", "grid", "triplets", "chords", "temperature",
           "top_k", "top_p", "strength", "max_copy")  # fmt: skip
_BARS = replace(
    described(GenerationConfig)["bars"], help="Bars of a call, of an answer and of a loop: {limits}.", high=16,
    default=2, shown=None, aliases=(),
)  # fmt: skip
_AMOUNT = replace(AMOUNT, help="The share of a loop's notes that change: {limits}.", panel=MUSIC)
_SHOWN = {"key": "what is heard", "bpm": "120; of another clock its own", "meter": "4/4"}


def _wish(name: str) -> Any:
    option = described(GenerationConfig)[name]
    return replace(option, shown=_SHOWN.get(name, option.shown), panel=MUSIC)


def _port(help: str, name: str, default: str = "") -> Any:
    return typer.Option(name, rich_help_panel=PORTS, help=help, show_default=default or False)


@options.takes(_BARS, *map(_wish, _WISHES), _AMOUNT, SEED, options.MODEL, file=True)
def jam(
    asked: Mapping[str, Any],
    mode: Annotated[str, typer.Option(help=MODES_HELP, rich_help_panel=MUSIC)] = MODES[0],
    source: Annotated[str | None, _port("The input that you play on; a part of its name will do.", "--in")] = None,
    out: Annotated[str | None, _port("The output to play to.", "--out")] = None,
    virtual: Annotated[
        str | None,
        _port(
            "Make ports of this name for other programs (not on Windows).",
            "--virtual",
            "melodygru, without --in and --out",
        ),
    ] = None,
    clock: Annotated[
        str, _port("Whose tempo: internal, player (who begins), or the input with a MIDI clock.", "--clock", INTERNAL)
    ] = INTERNAL,
    channel: Annotated[int, _port("The channel to play on: 1 to 16.", "--channel", "1")] = 1,
    click: Annotated[
        bool | None, _port("Play a click on channel 10.", "--click/--no-click", "with the internal clock")
    ] = None,
    cc_temperature: Annotated[int, _port("The controller for temperature: 0 to 119.", "--cc-temperature", "1")] = 1,
    cc_handover: Annotated[int, _port("The controller for handing over: 0 to 119.", "--cc-handover", "80")] = 80,
    minutes: Annotated[float | None, _port("End after so many minutes.", "--minutes")] = None,
    record: Annotated[Path | None, _port("A MIDI file of all that was played.", "--record")] = None,
    force: parameters.Force = False,
) -> None:
    """Play together, over MIDI, in time: play something, and it is answered, continued, varied or accompanied.

    Ctrl-C ends it; whatever ends it, no note hangs. docs/live.md says how to set it up with DAWs.
    """
    options.check(asked, _BARS, _AMOUNT, SEED)
    if mode not in MODES:
        raise UsageError(f"mode is {mode!r}; choose {', '.join(MODES[:-1])} or {MODES[-1]}.")
    for name, value, low, high in (
        ("channel", channel, 1, 16),
        ("cc-temperature", cc_temperature, 0, 119),
        ("cc-handover", cc_handover, 0, 119),
        ("minutes", 1 if minutes is None else minutes, 0.01, 10_000),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} is {value:g}; choose {low:g} to {high:g}.")
    if channel == 10:
        raise UsageError("channel is 10, on which every pitch is a drum; choose another.")
    if cc_temperature == cc_handover:
        raise UsageError(f"cc-temperature and cc-handover are both {cc_handover}; choose a controller for each.")
    _check_names(source, out, virtual, clock)
    if record is not None:
        if record.suffix.lower() not in (".mid", ".midi"):
            raise UsageError(f"{record} does not end in .mid; give the recording a name such as session.mid.")
        check_target(record, force)
    settings = _settings(asked, channel - 1)
    if source is None and out is None and virtual is None:
        virtual = VIRTUAL
    model = str(asked.get("model", options.MODEL.default))
    _play(settings, mode, model, (source, out, virtual), clock, click, (cc_temperature, cc_handover), minutes, record)


def _check_names(source: str | None, out: str | None, virtual: str | None, clock: str) -> None:
    """Raise UsageError for ports that are not enough, before any is opened."""
    for option, name in (("in", source), ("out", out), ("virtual", virtual), ("clock", clock)):
        if name is not None and not name.strip():
            raise UsageError(f"--{option} is empty; `melodygru ports` lists the ports that there are.")
    if virtual is None and source is not None and out is None:
        raise UsageError("--in alone leaves nowhere to play to; give --out, or --virtual, too.")
    if virtual is None and source is None and out is not None:
        raise UsageError("--out alone leaves nothing to listen to; give --in, or --virtual, too.")


def _settings(asked: Mapping[str, Any], channel: int) -> Settings:
    """What holds for the session. Raises UsageError for wishes that are not legal."""
    from melodygru.live.stage import Settings
    from melodygru.writing.model import draw_seed

    config = GenerationConfig.from_dict({name: asked[name] for name in _WISHES if name in asked})
    wishes = {
        name: value for name, value in config.as_dict().items() if name not in ("key", "meter", "bpm", "temperature")
    }
    return Settings(
        bars=asked.get("bars", _BARS.default),
        metre=config.time_signature,
        key=config.named_key,
        wishes=wishes,
        amount=asked.get("amount", _AMOUNT.default),
        temperature=1.0 if config.temperature is None else config.temperature,
        seed=asked["seed"] if "seed" in asked else draw_seed(),
        channel=channel,
        qpm=config.tempo,
    )


def _play(
    settings: Settings,
    mode: str,
    model: str,
    names: tuple[str | None, str | None, str | None],
    clock_name: str,
    click: bool | None,
    controls: tuple[int, int],
    minutes: float | None,
    record: Path | None,
) -> None:
    from melodygru.cli.jam_screen import screen
    from melodygru.cli.progress import tell
    from melodygru.live.composing import Ask
    from melodygru.live.jam import NOW, Inbox, run
    from melodygru.live.ports import Ports
    from melodygru.live.sender import Sender
    from melodygru.live.session import Session
    from melodygru.live.writer import WriterProcess

    inbox = Inbox()
    with ExitStack() as stack:
        stack.enter_context(_hung_up())
        ports = stack.enter_context(Ports(tell))
        send = _connected(ports, inbox, names, clock_name)
        tell("waking the writer")
        first = Ask(0, "new", settings.bars, settings.metre, settings.seed, wishes=settings.first_wishes)
        writer = stack.enter_context(WriterProcess(model, first))
        clock = _clock(clock_name, settings, NOW())
        clicks = clock_name == INTERNAL if click is None else click
        session = Session(settings, mode, clock, Sender(send), writer, clicks, controls)
        _tell_setup(settings, mode, names, clock_name)
        try:
            with screen(session, NOW) as show:
                run(session, inbox, None if minutes is None else minutes * 60, show, ports.check)
        finally:
            if record is not None and not session.recording.empty:
                write_atomically(record, session.recording.midi_bytes(), force=True)
                typer.echo(f"Wrote {record}.")


def _connected(
    ports: Ports, inbox: Inbox, names: tuple[str | None, str | None, str | None], clock: str
) -> Callable[[Any], None]:
    """Open what is to be listened to; what sends to the output, or to all of several."""
    source, out, virtual = names
    both = inbox.from_both if clock in (source, virtual) else inbox.from_player
    sends = []
    if virtual is not None:
        sends.append(ports.virtual(virtual, both))
    if source is not None:
        ports.listen(source, both)
    if out is not None:
        sends.append(ports.output(out))
    if clock not in (INTERNAL, PLAYER, source, virtual):
        ports.listen(clock, inbox.from_clock)

    def send(message: Any) -> None:
        for one in sends:
            one(message)

    return sends[0] if len(sends) == 1 else send


def _clock(name: str, settings: Settings, now: float) -> Clock:
    from melodygru.live.clock import FollowedClock, InternalClock
    from melodygru.live.tempo import PlayerClock

    if name == PLAYER:
        return PlayerClock(settings.qpm)
    # Our own begins a bar before bar 1: the count-in.
    return (
        InternalClock(settings.qpm, now, -settings.metre.bar_steps) if name == INTERNAL else FollowedClock(settings.qpm)
    )


def _tell_setup(settings: Settings, mode: str, names: tuple[str | None, str | None, str | None], clock: str) -> None:
    source, out, virtual = names
    where = [f"listens to {source or virtual}", f"plays to {' and '.join(name for name in (out, virtual) if name)}"]
    tempo = {INTERNAL: f"{settings.qpm:g} bpm of its own", PLAYER: "the player's tempo"}.get(
        clock, f"the clock of {clock}"
    )
    typer.echo(f"{mode}: {', '.join(where)}, in {settings.metre}, {tempo}, seed {settings.seed}; Ctrl-C ends it.")


@contextmanager
def _hung_up() -> Iterator[None]:
    """Within it a terminal that is closed (SIGHUP), and SIGQUIT, end the session as Ctrl-C does."""

    def stop(signum: int, frame: Any) -> None:
        raise Stopped(signum)

    numbers = [getattr(signal, name) for name in ("SIGHUP", "SIGQUIT") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
