"""Corrupt the bytes of a file in seeded ways, as disks, transfers and enemies do.

``attack`` hands the corrupt files to a reader. Call it in a process of its own: a native
library may end the process, and ``limit_memory`` cannot be taken back.
"""

from __future__ import annotations

import random
import re
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from trigforge.core.errors import TrigforgeError

MAGIC_NUMBERS = (
    b"\x93NUMPY\x01\x00",
    b"PK\x03\x04",
    b"PAR1",
    b"root",
    b"\x89HDF\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n",
    b"{",
    b"\x08\x07",
)
EXTREMES = (
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\x00\x00\x00",
    b"\x00\x00\x00\x00",
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
    b"\x00\x00\x80\x7f",
)


class Hang(BaseException):
    """A reader took too long; no reader can catch it by mistake."""


def attack(
    read: Callable[[Path], object], original: Path, n: int, seed: int = 1, limit_s: float = 5.0
) -> Counter[str]:
    """Give ``n`` corrupt copies of a file to a reader; it takes each or refuses in one line.

    Returns how many were read (``read``) and refused, by the exception behind the refusal.

    Raises:
        AssertionError: if the reader lets another exception out, its message is of several
            lines or does not name the file, memory ran out, or a copy took too long.
    """
    path = original.with_name(f"mutated{original.suffix}")
    outcomes: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _stop)
    for index, content in enumerate(mutations(original.read_bytes(), n, seed)):
        path.write_bytes(content)
        try:
            outcomes[_outcome(read, path, limit_s)] += 1
        except (Exception, Hang) as error:
            msg = f"{original.name}, mutation {index} of seed {seed}: the reader {error}"
            raise AssertionError(msg) from error
    return outcomes


def attack_apart(script: Path, folder: Path, n: int, limit_s: float) -> tuple[str, str]:
    """Run a script that attacks readers, ``script FOLDER N``, in a process of its own.

    Returns what it wrote on its outputs.

    Raises:
        AssertionError: if it fails, or a native library ends it.
    """
    done = subprocess.run(
        [sys.executable, script, folder, str(n)],
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def counts_of(output: str, n: int) -> dict[str, int]:
    """Return how many copies of each file were refused, of ``n`` that were tried."""
    counts = re.findall(r"(\S+): (\d+) read, (\d+) refused", output)
    assert all(int(n_read) + int(n_refused) == n for _, n_read, n_refused in counts), output
    return {name: int(n_refused) for name, _, n_refused in counts}


def _outcome(read: Callable[[Path], object], path: Path, limit_s: float) -> str:
    """Return ``read``, or the exception behind the refusal; raise what was wrong."""
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        read(path)
    except TrigforgeError as error:
        if fault := _fault_of(error, path):
            raise AssertionError(fault) from error
        return type(error.__cause__).__name__
    except Hang as error:
        msg = f"took more than {limit_s} s"
        raise AssertionError(msg) from error
    except Exception as error:
        msg = f"let {error!r} out"
        raise AssertionError(msg) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "read"


def limit_memory(n_bytes: int) -> None:
    """Let this process grow by so many bytes from now on."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _stop(signum: int, frame: object) -> None:
    raise Hang


def _fault_of(error: TrigforgeError, path: Path) -> str | None:
    message = str(error)
    if not message.isprintable():
        return f"refuses in more than one line: {message!r}"
    if path.name not in message:
        return f"does not name the file: {message}"
    if isinstance(error.__cause__, MemoryError):
        return f"asks for too much memory: {message}"
    return None


def mutations(content: bytes, n: int, seed: int) -> Iterator[bytes]:
    """Yield ``n`` corrupted copies of a file, the same for the same seed.

    The first are those every reader must meet: nothing at all, single bytes, each half.
    """
    source = random.Random(seed)
    fixed = [b"", b"\0", content[: len(content) // 2], content[len(content) // 2 :]]
    fixed += [magic + content[len(magic) :] for magic in MAGIC_NUMBERS]
    yield from fixed[:n]
    for _ in range(n - len(fixed)):
        changed = bytearray(content)
        for _ in range(source.choice((1, 1, 1, 2, 4))):
            source.choice(CHANGES)(changed, source)
        yield bytes(changed)


def _flip(content: bytearray, source: random.Random) -> None:
    """Flip a few bits, sometimes in the first bytes, where the header is."""
    for _ in range(source.choice((1, 1, 3, 10))):
        if content:
            last = len(content) if source.random() < 0.6 else min(len(content), 128)
            content[source.randrange(last)] ^= 1 << source.randrange(8)


def _truncate(content: bytearray, source: random.Random) -> None:
    del content[source.randint(0, len(content)) :]


def _cut_out(content: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(content))
    del content[start : start + source.choice((1, 4, 64))]


def _insert(content: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(content))
    content[start:start] = source.randbytes(source.choice((1, 4, 64)))


def _zero(content: bytearray, source: random.Random) -> None:
    start = source.randint(0, len(content))
    size = min(source.choice((4, 16, 256)), len(content) - start)
    content[start : start + size] = bytes(size)


def _put_extreme(content: bytearray, source: random.Random) -> None:
    """Write a number where a length may stand."""
    extreme = source.choice(EXTREMES)
    start = source.randint(0, max(0, len(content) - len(extreme)))
    content[start : start + len(extreme)] = extreme


def _change_digit(content: bytearray, source: random.Random) -> None:
    """Make a number of a text header larger."""
    digits = [index for index, byte in enumerate(content[:4096]) if 48 <= byte <= 57]
    if digits:
        index = source.choice(digits)
        content[index : index + 1] = source.choice((b"9", b"0", b"999999999", b"-1", b"1e9"))


def _copy(content: bytearray, source: random.Random) -> None:
    """Copy a piece of the file to another place."""
    size = source.choice((8, 64, 512))
    start, target = source.randint(0, len(content)), source.randint(0, len(content))
    piece = content[start : start + size]
    content[target : target + len(piece)] = piece


def _swap_header(content: bytearray, source: random.Random) -> None:
    magic = source.choice(MAGIC_NUMBERS)
    content[: len(magic)] = magic


CHANGES = (
    _flip,
    _flip,
    _truncate,
    _cut_out,
    _insert,
    _zero,
    _put_extreme,
    _put_extreme,
    _change_digit,
    _copy,
    _swap_header,
)
