"""Verdicts as annotations of GitHub Actions: lines that a step writes and GitHub shows.

GitHub shows ten errors, ten warnings and ten notices a step, so a spec has one of each at
most. The form and its escapes are those of the runner's workflow commands
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trigforge.core.verdict import SpecVerdict

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotate(verdicts: Iterable[SpecVerdict]) -> Iterator[str]:
    """Yield a line for each spec that failed, is partly unknown, or has something to say.

    The file is the spec as it was named; GitHub finds it if that is its path in the repository.
    """
    for verdict in verdicts:
        name, failed = verdict.name, verdict.failed
        if verdict.error is not None:
            yield _command("error", verdict, f"{name}: not judged", verdict.error)
        elif failed:
            lines = [f"{line.name}: {line.used}; allowed: {line.allowed}" for line in failed]
            title = f"{name}: {len(failed)} of {len(verdict.lines)} checks failed"
            yield _command("error", verdict, title, "\n".join(lines))
        if verdict.unknown:
            yield _command("warning", verdict, f"{name}: unknown", "\n".join(verdict.unknown))
        if verdict.notes:
            yield _command("notice", verdict, name, "\n".join(verdict.notes))


def _command(kind: str, verdict: SpecVerdict, title: str, message: str) -> str:
    file = _escape(str(verdict.spec), _PROPERTY)
    return f"::{kind} file={file},title={_escape(title, _PROPERTY)}::{_escape(message, _DATA)}"


def _escape(text: str, codes: dict[str, str]) -> str:
    return "".join(codes.get(character, character) for character in text)
