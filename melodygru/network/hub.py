"""Models from the Hugging Face Hub: "hf:owner/name", fetched once, checked, and kept in the cache.

What is kept is used from then on, without asking the network; `pull` fetches it anew. Only public models are fetched,
and nothing is sent but which one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from melodygru.errors import CheckpointError, FileError, MelodyGRUError
from melodygru.extras import require
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import SUFFIX
from melodygru.records import dataclass
from melodygru.system.files import write_all
from melodygru.system.folders import cache_home

PREFIX = "hf:"
LARGEST = 256 << 20
"""Bytes of a model's file: sixty times those that come along."""
LARGEST_CARD = 1 << 20
PATIENCE, DEADLINE = 10.0, 600.0
"""Seconds in which the server has to answer, and in which a file has to be there."""
_CARD, _FACTS = "README.md", "pulled.json"
_PART = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
_NAME = re.compile(rf"hf:({_PART})/({_PART})(?:@([A-Za-z0-9][A-Za-z0-9_.-]{{0,95}}))?")


@dataclass(frozen=True)
class Pulled:
    """A model of the Hub that is kept here.

    Attributes:
        name: as it is asked for: "hf:owner/name".
        revision: the commit that it is from.
        sha256: of the file, 64 hexadecimal digits.
        size: bytes of the file.
        file: where it lies; its card, if it has one, lies beside it.
    """

    name: str
    revision: str
    sha256: str
    size: int
    file: str

    @property
    def card(self) -> str:
        """What the model's makers say of it; empty where they say nothing."""
        try:
            return Path(self.file).with_name(_CARD).read_text("utf-8", errors="replace")
        except OSError:
            return ""


def kept_file(name: str) -> Path:
    """The file of a model "hf:owner/name", fetched if it is not kept here. Raises CheckpointError as `pull` does."""
    owner, repository, revision = _parts(name)
    found = None if revision else _kept(_folder(owner, repository))
    return Path((found or pull(name)).file)


def kept() -> list[Pulled]:
    """The models of the Hub that are kept here, by name."""
    folders = sorted(path.parent for path in (cache_home() / "hub").glob(f"*/*/{_FACTS}"))
    return [found for folder in folders if (found := _kept(folder)) is not None]


def pull(name: str) -> Pulled:
    """Fetch a model "hf:owner/name" or "hf:owner/name@revision", whose repository has one .safetensors file.

    It is kept only once it is whole, has the checksum that the Hub states, and can be read as a model.

    Raises:
        CheckpointError: no such name or model, one too large, damaged, or none of ours; or the Hub cannot be reached.
        MissingPackageError: huggingface_hub is not installed.
    """
    owner, repository, revision = _parts(name)
    require("huggingface_hub")
    from huggingface_hub import HfApi

    where = f"{owner}/{repository}"
    try:
        found = HfApi(endpoint=_endpoint(), token=False).model_info(
            where, revision=revision, files_metadata=True, timeout=PATIENCE
        )
        remote, sha256 = _file_of(where, found.siblings or [])
        data = _download(where, remote, found.sha, LARGEST)
        has_card = any(one.rfilename == _CARD for one in found.siblings or [])
        card = _download(where, _CARD, found.sha, LARGEST_CARD) if has_card else b""
    except MelodyGRUError:
        raise
    except Exception as error:  # huggingface_hub's own, or of the HTTP library that its version has
        raise _refused(name, error) from error
    actual = hashlib.sha256(data).hexdigest()
    if sha256 is not None and actual != sha256:
        raise CheckpointError(
            f"{name} was damaged on its way (its SHA-256 is {actual:.16}…, not {sha256:.16}…); retry."
        )
    return _keep(f"{PREFIX}{where}", found.sha, actual, data, card)


def _parts(name: str) -> tuple[str, str, str | None]:
    found = _NAME.fullmatch(name)
    if found is None or ".." in name:
        raise CheckpointError(
            f"{name!r:.80} names no model of the Hub; write hf:owner/name, or hf:owner/name@revision."
        )
    return found[1], found[2], found[3]


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def _folder(owner: str, repository: str) -> Path:
    return cache_home() / "hub" / owner / repository


def _kept(folder: Path) -> Pulled | None:
    """What is kept in a folder; None if nothing is, or not all of it."""
    try:
        facts: dict[str, Any] = json.loads((folder / _FACTS).read_bytes())
        found = Pulled(**{**facts, "file": str(folder / f"{folder.name}{SUFFIX}")})
        return found if os.path.getsize(found.file) == found.size else None
    except (OSError, ValueError, TypeError):
        return None


def _file_of(where: str, siblings: list[Any]) -> tuple[str, str | None]:
    """The name of a repository's model, and its SHA-256 where the Hub states it."""
    files = [one for one in siblings if one.rfilename.endswith(SUFFIX)]
    if len(files) != 1:
        raise CheckpointError(f"{where} has {len(files)} files that end in {SUFFIX}; a model here has exactly one.")
    if (files[0].size or 0) > LARGEST:
        raise CheckpointError(f"The model of {where} has {files[0].size:,} bytes; at most {LARGEST:,} are fetched.")
    return files[0].rfilename, files[0].lfs.sha256 if files[0].lfs else None


def _download(where: str, remote: str, revision: str | None, largest: int) -> bytes:
    """A file's bytes. Raises CheckpointError for more than `largest`, or one that takes longer than `DEADLINE`."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    url = hf_hub_url(where, remote, revision=revision, endpoint=_endpoint())
    begun, data = time.monotonic(), bytearray()
    headers = build_hf_headers(token=False)
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=PATIENCE) as response:
        hf_raise_for_status(response)
        for part in response.iter_bytes(1 << 16):
            data += part
            if len(data) > largest:
                raise CheckpointError(f"{remote} of {where} has more than {largest:,} bytes; it is not fetched.")
            if time.monotonic() - begun > DEADLINE:
                raise CheckpointError(f"{remote} of {where} was not there within {DEADLINE:.0f} seconds; try later.")
    return bytes(data)


def _refused(name: str, error: Exception) -> CheckpointError:
    """What to say of an error of huggingface_hub's."""
    from huggingface_hub import errors

    if isinstance(error, errors.RevisionNotFoundError):
        return CheckpointError(f"{name} has no such revision; leave out what stands behind the @.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return CheckpointError(f"There is no public model {name} on the Hub; check the name.")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return CheckpointError(
            f"{name} is not here, and HF_HUB_OFFLINE forbids to fetch it; unset that, or give a file."
        )
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return CheckpointError(
        f"{name} could not be fetched from {_endpoint()} ({reason}); check the connection, or give a model here."
    )


def _keep(name: str, revision: str | None, sha256: str, data: bytes, card: bytes) -> Pulled:
    owner, repository, _ = _parts(name)
    folder = _folder(owner, repository)
    file = folder / f"{repository}{SUFFIX}"
    new = file.with_name(f".{file.name}.{os.getpid()}.new{SUFFIX}")
    found = Pulled(name, revision or "", sha256, len(data), str(file))
    facts = {key: value for key, value in asdict(found).items() if key != "file"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        try:
            Checkpoint.load(new)
        except CheckpointError as error:
            reason = str(error).replace(str(new), "its file")
            raise CheckpointError(f"{name} is no model of melodygru's: {reason}") from error
    except OSError as error:
        raise FileError(f"{folder} cannot be written ({error.strerror}); set MELODYGRU_CACHE to another.") from error
    finally:
        with suppress(OSError):
            new.unlink()
    written: dict[Any, bytes] = {file: data, folder / _CARD: card, folder / _FACTS: json.dumps(facts).encode()}
    write_all(written, force=True)
    return found
