"""Talks to `melodygru serve` from any Python, with nothing installed: write, fill, vary and harmonize notes.

    python melodygru_client.py infill 3-4 < clip.json > filled.json

A clip is {"notes": [{"pitch": 60, "onset": 0, "duration": 24}, ...]} in steps of 24 to a quarter, with "key", "meter"
and "bpm" if they are known.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class MelodygruError(Exception):
    """What the server said is wrong, in a sentence."""


def settings_file() -> Path:
    """Where `melodygru serve` says how it can be reached."""
    if given := os.environ.get("MELODYGRU_CONFIG"):
        return Path(given) / "serve.json"
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return base / "melodygru" / "serve.json"


class Client:
    """One server. Raises MelodygruError where none runs."""

    def __init__(self, file: Path | None = None, timeout: float = 60.0):
        try:
            self.url = str(json.loads((file or settings_file()).read_text("utf-8"))["url"])
        except (OSError, ValueError, KeyError):
            raise MelodygruError("No server was found; start one with `melodygru serve`.") from None
        self.timeout = timeout

    def _post(self, command: str, **asked: Any) -> bytes:
        said = {name: value for name, value in asked.items() if value is not None}
        request = urllib.request.Request(
            f"{self.url}api/{command}", json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        # This computer is asked, whatever proxy others are asked through.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise MelodygruError(json.loads(error.read())["detail"]) from None
        except OSError as error:
            raise MelodygruError(f"The server does not answer ({error}); is `melodygru serve` running?") from None

    def generate(self, seed: int | None = None, **options: Any) -> dict[str, Any]:
        """A new melody: options are those of `melodygru generate`, such as bars=8, key="A minor"."""
        for event in self._post("generate", seed=seed, options=options).decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if lines.get("event") == "take":
                return dict(json.loads(lines["data"])["melody"])
            if lines.get("event") == "error":
                raise MelodygruError(json.loads(lines["data"])["detail"])
        raise MelodygruError("The server stopped before the melody was done; ask again.")

    def infill(self, clip: dict[str, Any], bars: str, seed: int | None = None, **options: Any) -> dict[str, Any]:
        """The clip with some bars, such as "3-4", written anew."""
        return dict(json.loads(self._post("infill", melody=clip, bars=bars, seed=seed, options=options))["melody"])

    def vary(
        self, clip: dict[str, Any], amount: float = 0.3, seed: int | None = None, **options: Any
    ) -> dict[str, Any]:
        """The clip, changed by as much as asked for."""
        return dict(json.loads(self._post("vary", melody=clip, amount=amount, seed=seed, options=options))["melody"])

    def harmonize(self, clip: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        """Chords for the clip: onset, end, symbol and pitches of each."""
        return list(json.loads(self._post("harmonize", melody=clip, **options))["ways"][0]["chords"])


def number(text: str, kind: type) -> Any:
    """A number as it was typed. Raises MelodygruError for what is none."""
    try:
        return kind(text)
    except ValueError:
        raise MelodygruError(f"{text!r} is no number.") from None


def read_clip() -> dict[str, Any]:
    """The clip on standard input. Raises MelodygruError for what is none."""
    try:
        found = json.load(sys.stdin)
    except ValueError as error:
        raise MelodygruError(f"What came in is no JSON ({error}).") from None
    if not isinstance(found, dict):
        raise MelodygruError('A clip is {"notes": [...]}.')
    return found


def main() -> None:
    """Change the clip on standard input, and write it to standard output."""
    command, *arguments = sys.argv[1:] or ["help"]
    client = Client()
    if command == "generate":
        made: Any = client.generate(bars=number(arguments[0], int) if arguments else 8)
    elif command == "infill" and arguments:
        made = client.infill(read_clip(), arguments[0])
    elif command == "vary":
        made = client.vary(read_clip(), number(arguments[0], float) if arguments else 0.3)
    elif command == "harmonize":
        made = client.harmonize(read_clip())
    else:
        raise MelodygruError("Say generate [BARS], infill BARS, vary [AMOUNT] or harmonize.")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    try:
        main()
    except MelodygruError as error:
        sys.exit(str(error))
