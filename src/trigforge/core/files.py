"""Write files so that a reader sees the whole of them or nothing.

A generator returns a ``FileSet`` (relative path -> content); writing it is another
function. Everything reaches its final name by an atomic rename.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from trigforge.core.errors import InputError, StoreError


class FileSet(Mapping[str, bytes]):
    """An immutable set of files: relative POSIX path -> content.

    Raises:
        InputError: if a path is absolute or leaves the folder, or two paths cannot both be
            files.
    """

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        content: dict[str, bytes] = {}
        for pure, data in sorted(
            ((PurePosixPath(path), data) for path, data in files.items()), key=lambda pair: pair[0]
        ):
            if pure.is_absolute() or ".." in pure.parts or not pure.parts:
                msg = f"file set path '{pure}' must be relative and stay in its folder"
                raise InputError(msg)
            for taken in content.keys() & {str(pure), *map(str, pure.parents)}:
                msg = f"file set path '{pure}' cannot stand beside the file '{taken}'"
                raise InputError(msg)
            content[str(pure)] = data.encode() if isinstance(data, str) else data
        self._files = MappingProxyType(content)

    def __getitem__(self, path: str) -> bytes:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    @property
    def digest(self) -> str:
        """SHA-256 over all paths and contents."""
        return digest_of(*(part for path in self for part in (path, self[path])))


def digest_of(*parts: str | bytes) -> str:
    """Return one SHA-256 (hex) over the parts; their borders count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def read_folder(folder: Path) -> FileSet:
    """Read every file below a folder.

    Raises:
        StoreError: if the folder does not exist or cannot be read.
    """
    if not folder.is_dir():
        msg = f"{folder} is not a folder"
        raise StoreError(msg)
    with refusing_os_errors(f"reading {folder}"):
        return FileSet(
            {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file()
            }
        )


def write_file(path: Path, content: bytes | str) -> None:
    """Write a whole file or leave the old one as it was.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with refusing_os_errors(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextmanager
def writing_folder(folder: Path, *, stays: Callable[[], bool] = lambda: False) -> Iterator[Path]:
    """Yield a new folder that replaces ``folder`` as a whole when the block ends well.

    Where ``folder`` is there by then and ``stays`` says so, the new one is dropped instead.

    Raises:
        StoreError: if the disk is full or the parent folder cannot be written.
    """
    with refusing_os_errors(f"writing {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        temporary.chmod(0o777 & ~_umask())
        try:
            yield temporary
            if not (folder.exists() and stays()):
                _replace_folder(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_folder(folder: Path, files: FileSet) -> None:
    """Write a file set as a folder, replacing what was there as a whole."""
    with writing_folder(folder) as temporary:
        fill_folder(temporary, files)


def fill_folder(folder: Path, files: FileSet) -> None:
    """Write a file set into a folder that nobody reads yet."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _replace_folder(new: Path, old: Path) -> None:
    """Put a folder in another's place; a rename cannot overwrite a filled folder."""
    if not old.exists():
        new.replace(old)
        return
    retired = Path(tempfile.mkdtemp(dir=old.parent, prefix=f".{old.name}.old."))
    try:
        old.replace(retired / old.name)
        new.replace(old)
    except BaseException:
        if not old.exists():
            (retired / old.name).replace(old)
        raise
    finally:
        shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def refusing_os_errors(what: str) -> Iterator[None]:
    """Turn the operating system's refusal into an error that says what was being done."""
    try:
        yield
    except OSError as error:
        msg = f"{what} failed: {error.strerror or error} ({error.filename or 'no file'})"
        raise StoreError(msg) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
