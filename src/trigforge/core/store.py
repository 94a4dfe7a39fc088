"""Keep results under the digest of what they were made from.

An entry is a folder ``<root>/<kind>/<digest>`` with a ``manifest.json`` that holds the
SHA-256 of every file. It appears by one rename when it is complete, and is checked each
time before it is trusted.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigforge.core.errors import StoreError
from trigforge.core.files import digest_of, writing_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "manifest.json"


def key_of(description: Any) -> str:
    """Return the digest of a JSON-serialisable description of how a result is made."""
    return digest_of(json.dumps(description, sort_keys=True, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results, each named by kind and digest."""

    root: Path

    def folder(self, kind: str, digest: str) -> Path:
        """Return where an entry is or would be."""
        return self.root / kind / digest[:24]

    def find(self, kind: str, digest: str) -> Path | None:
        """Return the folder of a complete entry, or None if there is none.

        Raises:
            StoreError: if the entry exists but is not what was written.
        """
        folder = self.folder(kind, digest)
        if not folder.exists():
            return None
        check_manifest(folder, digest)
        return folder

    @contextmanager
    def adding(self, kind: str, digest: str) -> Iterator[Path]:
        """Yield a new folder that becomes the entry when the block ends well.

        An entry that another process has added meanwhile stays: somebody may be reading it.
        """

        def intact() -> bool:
            try:
                return self.find(kind, digest) is not None
            except StoreError:
                return False

        with writing_folder(self.folder(kind, digest), stays=intact) as temporary:
            yield temporary
            write_manifest(temporary, digest)


def write_manifest(folder: Path, digest: str) -> None:
    """Record the digest of every file of a folder, and of what it was made from."""
    manifest = {"digest": digest, "files": file_digests(folder)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def read_manifest(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the digest a folder was made from and the SHA-256 of each of its files.

    Raises:
        StoreError: if the manifest is missing or no JSON of the right form.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        return str(manifest["digest"]), {str(k): str(v) for k, v in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is missing or unreadable; remove {folder} and run again"
        raise StoreError(msg) from error


def check_manifest(folder: Path, digest: str) -> None:
    """Refuse a folder whose files are not those it was written with.

    Raises:
        StoreError: naming the first file that is missing, added or changed.
    """
    written_for, _ = read_manifest(folder)
    changed = changed_files(folder)
    if changed:
        what = f"{folder / changed[0]} is missing, new or changed since it was written"
    elif written_for != digest:
        what = f"{folder} holds the result of another input ({written_for[:12]})"
    else:
        return
    msg = f"corrupt store: {what}; remove {folder} and run again"
    raise StoreError(msg)


def is_written_for(folder: Path, digest: str) -> bool:
    """Tell whether a delivered folder was written from this input; it may be missing.

    Files changed since do not count: ``changed_files`` names them.

    Raises:
        StoreError: if the folder holds something that was not written here.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / MANIFEST).is_file():
        msg = f"{folder} is not a folder written here (no {MANIFEST}); move it away"
        raise StoreError(msg)
    return read_manifest(folder)[0] == digest


def changed_files(folder: Path) -> tuple[str, ...]:
    """Name the files of a folder that differ from its manifest."""
    _, expected = read_manifest(folder)
    found = file_digests(folder)
    return tuple(
        sorted(
            path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)
        )
    )


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below a folder, the manifest left out."""
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        StoreError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise StoreError(msg) from error
