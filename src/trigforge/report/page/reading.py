"""Read the report of a run: ``folder or report.json -> Report``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from trigforge.core.errors import InputError
from trigforge.report.document import REPORT_VERSION
from trigforge.report.entries import Report

if TYPE_CHECKING:
    from pathlib import Path

REPORT = "report.json"


def locate(run: Path) -> Path:
    """Return where the report of a run lies; a run is its folder or its ``report.json``.

    Raises:
        InputError: if there is none.
    """
    path = run / REPORT if run.is_dir() else run
    if not path.is_file():
        msg = (
            f"{run} is no run: there is no {path}; name the folder of a report "
            f"(reports/NAME) or its {REPORT}, or write one by `trigforge run SPEC`"
        )
        raise InputError(msg)
    return path


def read(path: Path) -> Report:
    """Read a report.

    Raises:
        InputError: if it is no report, or one of another version.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        msg = f"{path} is no report: {error}; write it anew by `trigforge run SPEC`"
        raise InputError(msg) from error
    version = content.get("report_version") if isinstance(content, dict) else None
    if version != REPORT_VERSION:
        msg = (
            f"{path}: report_version is {version!r}, this trigforge reads {REPORT_VERSION}; "
            "write it anew by `trigforge run SPEC`"
        )
        raise InputError(msg)
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{path}: {where}: {first['msg']} ({error.error_count()} errors in all)"
        raise InputError(msg) from error
