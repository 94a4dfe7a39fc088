"""Where things lie."""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def sample_file(self) -> Path:
        """Where the sample shipped with a model lies."""
        return self.model / "sample.npz"
