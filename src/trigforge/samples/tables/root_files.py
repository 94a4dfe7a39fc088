"""Read ROOT files: branches of a TTree or fields of an RNTuple that hold plain numbers.

uproot describes classes it does not know by Python code, which it compiles from what the
file says of them (TStreamerInfo). ``_SealedFile`` has no such descriptions: only the classes
that come with uproot are read, so nothing that a file says is ever compiled. Branches are
read one by one, because ``arrays`` takes expressions.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import uproot
import xxhash

from trigforge.core.errors import InputError
from trigforge.samples.tables.content import (
    Selection,
    TableContent,
    check_believable,
    feature_names,
    known_name,
    label_name,
    listed,
    n_bytes_of,
    stacked,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TREE, NTUPLE = "TTree", "ROOT::RNTuple"
PLAIN_LEAVES = ("TLeafO", "TLeafB", "TLeafS", "TLeafI", "TLeafL", "TLeafG", "TLeafF", "TLeafD")
_NUMBER = (
    r"(?:std::)?(?:bool|float|double|(?:unsigned )?(?:char|short|int|long|long long)"
    r"|u?int(?:8|16|32|64)_t|U?(?:Char|Short|Int|Long|Long64)_t|(?:Float|Double|Bool)_t)"
)
_VECTOR = re.compile(rf"(?:std::)?vector<{_NUMBER}>")
_FIELD = re.compile(
    rf"(?:{_NUMBER}|std::vector<{_NUMBER}>|(?:std::array<)+{_NUMBER}(?:,\d+>)+"
    rf"|ROOT::RNTupleCardinality<{_NUMBER}>)"
)
_NAMES = ("std::string", "string")


class _BoundedFile:
    """A file that is read to its end at most: buffered files allocate what is asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.n_bytes = stream.seek(0, 2)
        stream.seek(0)

    def seek(self, position: int) -> int:
        """Go to a byte of the file."""
        return self._stream.seek(position)

    def read(self, n_bytes: int) -> bytes:
        """Read so many bytes, or as many as there are."""
        return self._stream.read(max(0, min(n_bytes, self.n_bytes - self._stream.tell())))


class _SealedFile(uproot.reading.ReadOnlyFile):  # type: ignore[misc]
    """A ROOT file without descriptions of classes, so that none is compiled."""

    @property
    def streamers(self) -> dict[str, Any]:
        """No descriptions, whatever the file holds."""
        return {}

    def streamers_named(self, classname: str) -> list[Any]:  # noqa: ARG002 - uproot's signature
        """Return no description."""
        return []

    def streamer_named(self, classname: str, version: int | str = "max") -> None:  # noqa: ARG002
        """Return no description; the arguments are uproot's."""
        return


def read(path: Path, shape: tuple[int, ...], selection: Selection) -> TableContent:
    """Read branches as features, one branch of arrays as events.

    Raises:
        InputError: if there is not one tree, or a branch holds something else than numbers,
            naming the first entry that is longer or shorter than the others.
    """
    with path.open("rb") as stream:
        bounded = _BoundedFile(stream)
        with _SealedFile(bounded, object_cache=None, array_cache=None, use_threads=False) as file:
            tree = _tree(file.root_directory, selection.tree)
            if tree.classname == NTUPLE:
                _check_envelopes(tree, bounded.n_bytes)
            what = f"tree {tree.name!r} ({tree.num_entries} entries)"
            check_believable(n_bytes_of((tree.num_entries, *shape), 8), bounded.n_bytes, what)
            return _content(tree, selection, bounded.n_bytes)


def _content(tree: Any, selection: Selection, file_bytes: int) -> TableContent:
    branches = _branches(tree)
    label = label_name(tuple(branches), selection)
    names = feature_names(tuple(branches), label, _without_counters(branches, label, selection))
    columns = {
        name: _column(branches[name], selection, file_bytes, is_label=name == label)
        for name in dict.fromkeys((*names, label) if label else names)
    }
    return TableContent(
        x=stacked({name: columns[name] for name in names}),
        y=columns[label] if label else None,
        feature_names=names if len(names) > 1 else (),
    )


def _tree(directory: Any, wanted: str | None) -> Any:
    """Return the tree that was named, or the only one."""
    classes = directory.classnames(cycle=False)
    trees = [name for name, classname in classes.items() if classname in (TREE, NTUPLE)]
    if wanted is not None:
        name = known_name("TTree or RNTuple", wanted, trees)
    elif len(trees) == 1:
        name = trees[0]
    else:
        others = [f"{name} ({classname})" for name, classname in classes.items()]
        if trees:
            msg = f"it holds several trees, {listed(trees)}; name one with --tree"
        else:
            msg = f"no TTree or RNTuple is in it; there is {listed(others) or 'nothing'}"
        raise InputError(msg)
    tree = directory[name]
    if tree.classname not in (TREE, NTUPLE):
        msg = f"{name!r} is a {tree.classname}, not a TTree or RNTuple"
        raise InputError(msg)
    return tree


def _check_envelopes(ntuple: Any, file_bytes: int) -> None:
    """Refuse an RNTuple whose descriptions are corrupt, before uproot parses them.

    uproot compares the checksums afterwards, and takes a corrupt count of records for true.
    Each envelope ends with the XXH3 of the rest (RNTuple binary format specification 1.0).
    """
    for part in ("Header", "Footer"):
        start, n_stored, n_bytes = (
            ntuple.member(f"f{what}{part}") for what in ("Seek", "NBytes", "Len")
        )
        check_believable(n_bytes, file_bytes, part)
        chunk = ntuple.file.source.chunk(start, start + n_stored)
        if n_stored != n_bytes:
            cursor = uproot.source.cursor.Cursor(start)
            chunk = uproot.compression.decompress(chunk, cursor, {}, n_stored, n_bytes)
        _check_envelope(part, chunk)
    for record in ntuple.footer.cluster_group_records:
        link = record.page_list_link
        check_believable(link.env_uncomp_size, file_bytes, "a list of pages")
        chunk, _ = ntuple.read_locator(link.locator, link.env_uncomp_size)
        _check_envelope("a list of pages", chunk)


def _check_envelope(what: str, chunk: Any) -> None:
    content = bytes(chunk.raw_data)
    if xxhash.xxh3_64_digest(content[:-8])[::-1] != content[-8:]:
        msg = f"{what} of the RNTuple does not have the checksum it ends with"
        raise InputError(msg)


def _branches(tree: Any) -> dict[str, Any]:
    """Return the branches or fields of a tree that stand on their own, by name."""
    branches: dict[str, Any] = {}
    for branch in tree.branches if tree.classname == TREE else tree.fields:
        if branch.name in branches:
            msg = f"branch {branch.name!r} occurs twice"
            raise InputError(msg)
        branches[str(branch.name)] = branch
    return branches


def _without_counters(
    branches: dict[str, Any], label: str | None, selection: Selection
) -> Selection:
    """Name all columns but the labels and the lengths of others, if none is named."""
    if selection.columns:
        return selection
    counters = {str(leaf.member("fLeafCount").member("fName")) for leaf in _counted(branches)}
    names = tuple(name for name in branches if name not in counters and name != label)
    return Selection(columns=names, label=selection.label)


def _counted(branches: dict[str, Any]) -> list[Any]:
    """Return the leaves whose length is another branch."""
    leaves = [
        leaf
        for branch in branches.values()
        if hasattr(branch, "member")
        for leaf in branch.member("fLeaves")
    ]
    return [leaf for leaf in leaves if leaf.member("fLeafCount", none_if_missing=True) is not None]


def _column(branch: Any, selection: Selection, file_bytes: int, *, is_label: bool) -> NDArray[Any]:
    """Return the first entries of a branch of numbers, or of names as labels."""
    if isinstance(branch, uproot.models.RNTuple.RField):
        _check_field(branch, file_bytes, is_label=is_label)
        n_entries = selection.first(branch.ntuple.num_entries)
    else:
        _check_branch(branch, file_bytes, is_label=is_label)
        n_entries = selection.first(_n_entries(branch))
    array = branch.array(library="ak", entry_stop=n_entries)
    if len(array) != n_entries:
        msg = f"branch {branch.name!r} gives {len(array)} of its {n_entries} entries"
        raise InputError(msg)
    if is_label and ak.parameters(array).get("__array__") == "string":
        return np.array(ak.to_list(array), dtype=object)
    _check_regular(branch.name, array)
    return np.asarray(ak.to_numpy(array, allow_missing=False))


def _n_entries(branch: Any) -> int:
    """Return the entries of a branch, which must be those of its tree."""
    if branch.num_entries != branch.tree.num_entries:
        msg = (
            f"branch {branch.name!r} has {branch.num_entries} entries, its tree "
            f"{branch.tree.num_entries}"
        )
        raise InputError(msg)
    return int(branch.num_entries)


def _check_branch(branch: Any, file_bytes: int, *, is_label: bool) -> None:
    """Refuse a branch that is no plain number, array or vector, before it is interpreted."""
    leaves = branch.member("fLeaves")
    kinds = [leaf.classname for leaf in leaves]
    if len(kinds) == 1 and not len(branch.branches):
        described = str(branch.member("fClassName", none_if_missing=True) or "")
        if kinds[0] == "TLeafElement":
            good = _VECTOR.fullmatch(described.replace(" >", ">")) is not None
        else:
            good = kinds[0] in PLAIN_LEAVES or (is_label and kinds[0] == "TLeafC")
    else:
        good, described = False, ""
    if not good:
        found = described or ", ".join(kinds) or "nothing"
        msg = f"branch {branch.name!r} holds {found}; only numbers, arrays and vectors are read"
        raise InputError(msg)
    what = f"branch {branch.name!r}"
    check_believable(
        n_bytes_of((branch.num_entries, leaves[0].member("fLen")), 8), file_bytes, what
    )
    total = sum(branch.basket_uncompressed_bytes(basket) for basket in range(branch.num_baskets))
    check_believable(total, file_bytes, what)
    if kinds[0] != "TLeafC" and (described or leaves[0].member("fLeafCount") is not None):
        _check_offsets(branch)


def _check_offsets(branch: Any) -> None:
    """Refuse baskets whose lists would reach beyond them: uproot would allocate for those."""
    for index in range(branch.num_baskets):
        basket = branch.basket(index)
        offsets = basket.byte_offsets
        if (
            offsets is None
            or (np.diff(offsets) < 0).any()
            or not 0 <= offsets[0] <= offsets[-1] <= len(basket.data)
        ):
            msg = f"branch {branch.name!r}: the lengths of its lists in basket {index} are corrupt"
            raise InputError(msg)


def _check_field(field: Any, file_bytes: int, *, is_label: bool) -> None:
    """Refuse a field that is no plain number, array or vector, before its pages are read."""
    found = field.typename
    if _FIELD.fullmatch(found) is None and not (is_label and found in _NAMES):
        msg = f"field {field.name!r} is {found}; only numbers, arrays and vectors are read"
        raise InputError(msg)
    for cluster in field.ntuple.page_link_list:
        for column in cluster:
            n_elements = sum(page.num_elements for page in column.pages)
            check_believable(n_bytes_of((n_elements,), 8), file_bytes, "a column of pages")


def _check_regular(name: str, array: Any) -> None:
    """Refuse lists of several lengths, by the first entry that differs."""
    if array.ndim < 2 or not len(array):
        return
    lengths = np.asarray(ak.num(array, axis=1))
    differing = np.flatnonzero(lengths != lengths[0])
    if len(differing):
        entry = int(differing[0])
        msg = (
            f"branch {name!r}: entry {entry} holds {lengths[entry]} values, entry 0 {lengths[0]}; "
            "all must hold as many"
        )
        raise InputError(msg)
