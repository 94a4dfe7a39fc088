"""Put the changes of all findings together: one for each line of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.diagnosis import Mend, hls_format
from trigforge.core.fixed_point import MAX_WIDTH, FixedPointFormat, parse_format

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trigforge.core.diagnosis import Finding


def configuration(findings: Iterable[Finding]) -> tuple[Mend, ...]:
    """Return the changes to make together; ``findings`` are in the order they were found.

    Where several causes of one layer lie in one format, the change of the later holds the
    earlier. Where two layers ask for the format of one, it must hold what both ask for.
    """
    lines: dict[str, tuple[str, Mend]] = {}
    for finding in findings:
        for mend in finding.mends:
            layer, earlier = lines.get(mend.path, (finding.layer, mend))
            if layer != finding.layer and ".Precision." in mend.path:
                lines[mend.path] = layer, _holding_both(earlier, mend)
            else:
                lines[mend.path] = finding.layer, mend
    return tuple(mend for _, mend in lines.values())


def _holding_both(first: Mend, second: Mend) -> Mend:
    """Return the change to a format that holds the values of two, with the first's modes."""
    left, right = parse_format(first.value), parse_format(second.value)
    signed = left.signed or right.signed
    integer = max(fmt.integer_bits + (signed and not fmt.signed) for fmt in (left, right))
    fraction = max(left.fractional_bits, right.fractional_bits)
    width = min(integer + fraction, MAX_WIDTH)
    both = FixedPointFormat(signed, width, integer, left.rounding, left.overflow)
    return Mend(path=first.path, value=hls_format(both))
