"""A folder of results: where they lie, whose they are, and which of them are trusted.

Scores of a chunk are ``<stem>.<first row group>.parquet``. ``records/`` holds what the folder
was made with and, for each chunk, the digest of its result: what does not match it is done
again. Everything appears under its name when it is complete.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import refusing_os_errors, write_file
from trigforge.core.store import file_digest, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from trigforge.emulation.chunks import Chunk, Plan

RECORDS = "records"
SETTINGS = "settings.json"
EMULATED = "emulated.json"
FORMAT = "trigforge emulation 1"
_RESULT = re.compile(r"(?P<stem>.+)\.\d{6,}\.parquet")
_UNFINISHED = re.compile(r"\..+\.parquet\.[0-9a-f]{32}")

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A folder of results of one network; with ``scores`` false only counts are kept."""

    folder: Path
    settings: tuple[tuple[str, str], ...]
    """What all results are made with, in words."""
    scores: bool

    def path_of(self, chunk: Chunk) -> Path:
        """Return where the result of a chunk is or would be."""
        folder = self.folder if self.scores else self.folder / RECORDS
        return folder / f"{chunk.name}.parquet"

    def find(self, chunk: Chunk) -> str | None:
        """Return the digest of a chunk's result if it is there and can be trusted."""
        try:
            record = json.loads(self._record_of(chunk).read_text())
            if record != self._record(chunk, record["digest"]):
                return None
            digest = file_digest(self.path_of(chunk))
        except (OSError, ValueError, KeyError, TypeError, StoreError):
            return None
        return digest if digest == record["digest"] else None

    def add(self, chunk: Chunk, write: Callable[[Path], Made]) -> tuple[Made, str]:
        """Let ``write`` make a chunk's result; return what it returned, and the digest.

        Raises:
            StoreError: if the folder is not there, where this runs, or cannot be written.
        """
        if not (self.folder / RECORDS).is_dir():
            msg = f"{self.folder} is not there on {gethostname()}; workers need to see it"
            raise StoreError(msg)
        path = self.path_of(chunk)
        temporary = path.with_name(f".{path.name}.{uuid4().hex}")
        with refusing_os_errors(f"writing {path}"):
            self._record_of(chunk).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            try:
                made = write(temporary)
                digest = file_digest(temporary)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        write_file(self._record_of(chunk), json.dumps(self._record(chunk, digest)) + "\n")
        return made, digest

    def open(self, plan: Plan) -> None:
        """Make the folder ready: no result in it that is not one of the plan.

        Raises:
            InputError: if it holds something else: inputs, results of other events, of another
                network, or anything that was not written here.
            StoreError: if it cannot be written.
        """
        self._refuse_inputs(plan)
        settings = self.folder / RECORDS / SETTINGS
        if settings.exists():
            self._check_settings(settings)
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            msg = f"{self.folder} exists and is not a folder of results; name another one"
            raise InputError(msg)
        else:
            content = {"format": FORMAT, **self._all_settings()}
            write_file(settings, json.dumps(content, indent=1) + "\n")
        with refusing_os_errors(f"clearing {self.folder}"):
            (self.folder / EMULATED).unlink(missing_ok=True)
            self._clear(plan)

    def _record_of(self, chunk: Chunk) -> Path:
        return self.folder / RECORDS / f"{chunk.name}.json"

    def _record(self, chunk: Chunk, digest: str) -> dict[str, Any]:
        """Return all that decides whether a result is that of a chunk."""
        made_from = {
            "format": FORMAT,
            **self._all_settings(),
            **{name: str(value) for name, value in asdict(chunk).items()},
        }
        return {
            "input": str(chunk.path),
            "row_groups": list(chunk.row_groups),
            "n_events": chunk.n_events,
            "made_from": key_of(made_from),
            "digest": digest,
        }

    def _all_settings(self) -> dict[str, str]:
        return {"results": "scores" if self.scores else "counts alone", **dict(self.settings)}

    def _check_settings(self, path: Path) -> None:
        """Refuse a folder that was made with other settings."""
        try:
            found = json.loads(path.read_text())
            differing = [
                f"{name} {found.get(name)!r}, now {value!r}"
                for name, value in {"format": FORMAT, **self._all_settings()}.items()
                if found.get(name) != value
            ]
        except (OSError, ValueError, AttributeError) as error:
            msg = f"{path} cannot be read; remove {self.folder} or name another folder"
            raise InputError(msg) from error
        if differing:
            msg = (
                f"{self.folder} holds results made with {differing[0]}; name another "
                "folder, or remove it"
            )
            raise InputError(msg)

    def _refuse_inputs(self, plan: Plan) -> None:
        """Refuse to write among the events: the next run would take scores for events."""
        folder = self.folder.resolve()
        for chunk in plan.chunks:
            if chunk.path.resolve().is_relative_to(folder):
                msg = f"{chunk.path} lies in {self.folder}; write results into another folder"
                raise InputError(msg)

    def _clear(self, plan: Plan) -> None:
        """Remove what interrupted writers left, and results of chunks cut otherwise."""
        planned = {self.path_of(chunk).name for chunk in plan.chunks}
        stems = {chunk.stem for chunk in plan.chunks}
        for path in _results_in(self.folder, self.folder / RECORDS):
            if _UNFINISHED.fullmatch(path.name):
                path.unlink(missing_ok=True)
            elif path.name not in planned:
                self._remove(path, stems, plan.unread_stems)

    def _remove(self, path: Path, stems: Collection[str], unreadable: Collection[str]) -> None:
        """Remove a result that is not planned, if its events are among those that are."""
        match = _RESULT.fullmatch(path.name)
        stem = match["stem"] if match else path.name
        if match and stem in stems:
            path.unlink(missing_ok=True)
            (self.folder / RECORDS / f"{path.stem}.json").unlink(missing_ok=True)
        elif stem not in unreadable:
            msg = (
                f"{path} is no result of the events given; name another folder, or give the "
                "events of all results in this one"
            )
            raise InputError(msg)


def _results_in(*folders: Path) -> Iterator[Path]:
    """Yield the Parquet files of folders, finished or not."""
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if ".parquet" in path.name)
