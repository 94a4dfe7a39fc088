"""Seeds that follow from what a piece is, not from when or where it is made."""

from __future__ import annotations

import hashlib

from trigforge.samples.generator import LARGEST_SEED


def digest_number(*parts: int | str) -> int:
    """Return 64 bits of the SHA-256 of numbers and names."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def pythia_seed(*parts: int | str) -> int:
    """Return a seed for Pythia, 1 to 900,000,000."""
    return digest_number(*parts) % LARGEST_SEED + 1
