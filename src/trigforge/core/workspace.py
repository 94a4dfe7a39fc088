"""Where things lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trigforge.core.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Folders of a run: the model's own, HLS projects, firmware, reports, results."""

    model: Path
    projects: Path
    firmware: Path
    reports: Path
    store: Store
    spec_file: Path | None = field(default=None, compare=False)
    """The spec, if it was read from a file: it is told to people, nothing is looked up there."""

    @property
    def sample_file(self) -> Path:
        """Where the sample shipped with a model lies."""
        return self.model / "sample.npz"
