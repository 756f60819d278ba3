"""What pages play: commands that stand in comments of a page are run, and what they wrote is shown in their place.

    <!-- play A waltz: melodygru generate --style waltz --seed 1 waltz.mid -->

Where the page is read elsewhere, the comment is not seen. The commands of one page share a folder, so that one may
change what another wrote.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from melodygru.cli import main
from melodygru.writing import model
from website.clips import figure, read_clip

PLAY = re.compile(r"(?m)^<!-- play ([^:\n]+): (melodygru [^\n]+?) -->$")
Show = Callable[[str, str], str]
"""Title and command -> what stands on the page in their place."""


@contextlib.contextmanager
def loaded_once() -> Iterator[None]:
    """Within it every model is loaded once: a site takes three hundred melodies, and loading takes as long as writing.

    Only where a name means the same model all the while.
    """
    load = model.load_model
    model.load_model = functools.cache(load)  # type: ignore[assignment]
    try:
        yield
    finally:
        model.load_model = load


def run(command: str, folder: Path) -> None:
    """Run a command of melodygru here, in this process. Raises RuntimeError, with what it said, where it fails."""
    said, before = io.StringIO(), (Path.cwd(), sys.argv)
    sys.argv = shlex.split(command)
    os.chdir(folder)
    code: object = 0
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as ended:
        code = ended.code
    finally:
        os.chdir(before[0])
        sys.argv = before[1]
    if code:
        raise RuntimeError(f"{command}: {said.getvalue().strip()}")


def shower(folder: Path, page: Path) -> Show:
    """What runs commands in `folder`, which becomes part of the site, for the page in `page`; both of one tree."""
    folder.mkdir(parents=True, exist_ok=True)

    def show(title: str, command: str) -> str:
        run(f"{command} --force", folder)
        file = Path(next(word for word in reversed(shlex.split(command)) if word.endswith(".mid")))
        score = file.with_suffix(".svg")
        run(shlex.join(["melodygru", "score", str(file), str(score), "--force"]), folder)
        at = Path(os.path.relpath(folder, page.parent)).as_posix()
        clip = read_clip(folder / file)
        return figure(clip, title, file=f"{at}/{file}", score=f"{at}/{score}", command=command)

    return show


def played(text: str, show: Show) -> str:
    """A page with its comments of that kind replaced."""
    return PLAY.sub(lambda found: show(found[1], found[2]), text)
