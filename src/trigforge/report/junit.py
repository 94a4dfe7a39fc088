"""Verdicts as JUnit XML, the form in which CI systems take test results.

The elements and attributes are those that Jenkins, GitLab and the reporters of GitHub Actions
read in common: one ``testsuite`` a spec; in it a ``testcase`` for the run itself, which carries
the time, and one for each check.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from trigforge.core.files import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trigforge.core.verdict import SpecVerdict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 forbids even as a reference: control characters, half surrogates."""


def make(verdicts: Sequence[SpecVerdict]) -> bytes:
    """Return the XML of a check of many specs."""
    root = ET.Element("testsuites", name="trigforge check")
    root.extend(_suite(verdict) for verdict in verdicts)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    root.set("time", f"{sum(verdict.seconds for verdict in verdicts):.3f}")
    ET.indent(root, " ")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def write(verdicts: Sequence[SpecVerdict], path: Path) -> None:
    """Write the XML of a check of many specs.

    Raises:
        StoreError: if it cannot be written.
    """
    write_file(path, make(verdicts))


def _suite(verdict: SpecVerdict) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(verdict.name))
    run = _case(suite, verdict, "run")
    run.set("time", f"{verdict.seconds:.3f}")
    if verdict.error is not None:
        _outcome(run, "error", verdict.error, verdict.output)
    for check in verdict.lines:
        case = _case(suite, verdict, check.name)
        if not check.met:
            _outcome(case, "failure", f"{check.used}; allowed: {check.allowed}")
    for line in verdict.unknown:
        name, _, reason = line.partition(": ")
        _outcome(_case(suite, verdict, f"unknown: {name}"), "skipped", reason or "unknown")
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", f"{verdict.seconds:.3f}")
    if verdict.notes:
        ET.SubElement(suite, "system-out").text = _clean("\n".join(verdict.notes))
    return suite


def _case(suite: ET.Element, verdict: SpecVerdict, name: str) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        classname=_clean(f"trigforge.{verdict.name}"),
        name=_clean(name),
        file=_clean(str(verdict.spec)),
        time="0.000",
    )


def _outcome(case: ET.Element, tag: str, message: str, output: str = "") -> None:
    """Say what came of a case: in short as attribute, whole as text."""
    outcome = ET.SubElement(case, tag, message=_clean(message.partition("\n")[0]))
    if tag != "skipped":
        outcome.set("type", "CheckFailed" if tag == "failure" else "NotJudged")
        outcome.text = _clean("\n".join(part for part in (message, output) if part))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
