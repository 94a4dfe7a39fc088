"""A scan to be killed: ``killed_scan.py SCAN FOLDER``; its worker imports this file, too."""

import sys
from pathlib import Path


def main(path: Path, folder: Path) -> None:
    """Scan with made-up figures, each of which takes a while."""
    import made_up_designs

    import scans
    from trigforge.scan import designs, search, space

    designs.evaluate = made_up_designs.slowly
    search.WORKERS_IMPORT = None
    search.run(scans.search_in(folder, space.read(path)), n_workers=1)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
