"""A scan to be killed: ``killed_scan.py SCAN FOLDER``; its worker imports this file, too."""

import sys
from pathlib import Path


def main(path: Path, folder: Path) -> None:
    """Scan with made-up figures, each of which takes a while."""
    import made_up_designs

    from trigforge.core.store import Store
    from trigforge.core.workspace import Workspace
    from trigforge.scan import designs, search, space

    designs.evaluate = made_up_designs.slowly
    search.WORKERS_IMPORT = None
    workspace = Workspace(
        model=folder / "tiny_jets",
        projects=folder / "projects",
        firmware=folder / "firmware",
        reports=folder / "reports",
        store=Store(folder / "store"),
    )
    search.run(search.Search(space=space.read(path), workspace=workspace), n_workers=1)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
