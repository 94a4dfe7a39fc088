import io
import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core import graph_file
from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import FileSet
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, parse_format
from trigforge.core.graph import (
    NODE_TYPES,
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Pool,
    PoolKind,
    Quantise,
    Scale,
    Softmax,
    SoftmaxKind,
    Table,
)

LINK = parse_format("fixed<8,3>")
SUM = parse_format("fixed<20,8,RND,SAT>")


def graph_of(*nodes, name="net"):
    first = Input(name="inputs", inputs=(), shape=(4,), format=LINK)
    return FixedPointGraph(name=name, nodes=(first, *nodes))


def dense(name="dense", **changes):
    values = {
        "name": name,
        "inputs": ("inputs",),
        "shape": (2,),
        "format": SUM,
        "weights": np.arange(8).reshape(4, 2) - 3,
        "weight_format": LINK,
        "bias": np.array([1, -2]),
        "bias_format": LINK,
        "accumulator": SUM,
    }
    return Dense(**(values | changes))


def every_kind():
    """A graph with each kind of node; what it computes is of no interest."""
    image = {"inputs": ("inputs",), "format": LINK}
    sums = {
        "weight_format": LINK,
        "bias_format": LINK,
        "accumulator": SUM,
        "bias": np.array([3]),
        "order": np.array([[1], [0]]),
    }
    return graph_of(
        dense(),
        Quantise(name="cast", shape=(4,), **image),
        Conv(
            name="conv",
            shape=(2, 2, 1),
            weights=np.ones((1, 2, 1, 1), dtype=np.int64),
            input_shape=(2, 2, 1),
            strides=(1, 1),
            padding=(0, 0, 0, 1),
            **image,
            **sums,
        ),
        Pool(
            name="pool",
            shape=(1, 1, 1),
            kind=PoolKind.AVERAGE,
            input_shape=(2, 2, 1),
            window=(2, 2),
            strides=(2, 2),
            padding=(0, 0, 0, 0),
            accumulator=SUM,
            divide_last=True,
            **image,
        ),
        Scale(
            name="scale",
            shape=(4,),
            scale=np.array([2]),
            scale_format=LINK,
            bias=np.array([1]),
            bias_format=LINK,
            **image,
        ),
        Activation(
            name="leaky",
            shape=(4,),
            kind=ActivationKind.LEAKY_RELU,
            parameters=np.array([3]),
            parameter_format=LINK,
            **image,
        ),
        Table(
            name="table",
            shape=(4,),
            function="elu",
            table=np.arange(4),
            table_format=LINK,
            multiplier=4,
            divisor=-8,
            offset=0,
            positive=1,
            positive_format=parse_format("ufixed<1,1>"),
            **image,
        ),
        Softmax(
            name="softmax",
            shape=(4,),
            kind=SoftmaxKind.STABLE,
            n_slice=4,
            n_inner=1,
            exponentials=np.arange(4),
            exponential_format=LINK,
            inverses=np.arange(8),
            inverse_format=LINK,
            accumulator=SUM,
            distance_format=LINK,
            sum_format=SUM,
            **image,
        ),
        Gather(name="move", shape=(3,), kind="pad", indices=np.array([1, -1, 0]), **image),
        Merge(
            name="sum",
            inputs=("inputs", "cast"),
            shape=(4,),
            format=SUM,
            kind=MergeKind.SUBTRACT,
        ),
    )


def assert_equal(left, right):
    assert left.name == right.name
    assert [type(node) for node in left] == [type(node) for node in right]
    for one, other in zip(left, right, strict=True):
        for field in fields(one):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert type(a) is type(b), field.name
            if isinstance(a, np.ndarray):
                assert a.dtype == b.dtype == np.int64
                np.testing.assert_array_equal(a, b)
            else:
                assert a == b, field.name


def edited(files, edit, *, resealed=True):
    """Change the document of a stored graph, with its digest made good or not."""
    document = json.loads(files[graph_file.GRAPH_JSON])
    edit(document)
    if resealed:
        document.pop("digest", None)
        arrays = graph_file._unpack(files[graph_file.GRAPH_NPZ], "test")
        document["digest"] = graph_file._digest(document, arrays)
    return FileSet(dict(files) | {graph_file.GRAPH_JSON: json.dumps(document)})


def test_every_kind_of_node_survives_the_round_trip(tmp_path):
    graph = every_kind()
    assert {type(node).__name__ for node in graph} == set(NODE_TYPES)
    graph_file.save(graph, tmp_path / "graph")
    loaded = graph_file.load(tmp_path / "graph")
    assert_equal(graph, loaded)
    assert graph_file.digest(graph) == graph_file.digest(loaded)


FORMATS = st.builds(
    FixedPointFormat,
    st.booleans(),
    st.integers(1, 64),
    st.integers(-20, 80),
    st.sampled_from(Rounding),
    st.sampled_from(Overflow),
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


@given(data=st.data(), n_nodes=st.integers(1, 4))
def test_any_weights_and_formats_survive_the_round_trip(data, n_nodes):
    nodes = []
    for index in range(n_nodes):
        shape = data.draw(st.tuples(st.integers(0, 3), st.integers(1, 3)))
        count = shape[0] * shape[1]
        weights = data.draw(st.lists(INTEGERS, min_size=count, max_size=count))
        nodes.append(
            dense(
                f"layer {index}/é",
                weights=np.array(weights, dtype=np.int64).reshape(shape),
                weight_format=data.draw(FORMATS),
                accumulator=data.draw(FORMATS),
                order=data.draw(st.sampled_from([None, np.zeros((2, 2), dtype=np.int64)])),
            )
        )
    graph = graph_of(*nodes)
    assert_equal(graph, graph_file.from_files(graph_file.to_files(graph)))


def test_equal_graphs_give_equal_bytes():
    assert graph_file.to_files(every_kind()).digest == graph_file.to_files(every_kind()).digest


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.arange(8).reshape(4, 2) - 4},
        {"format": parse_format("fixed<20,8,RND_CONV,SAT>")},
        {"order": np.zeros((4, 2), dtype=np.int64)},
        {"shape": (2, 1)},
        {"name": "other"},
    ],
)
def test_a_change_of_anything_changes_the_digest(changes):
    assert graph_file.digest(graph_of(dense())) != graph_file.digest(graph_of(dense(**changes)))


def test_a_flipped_weight_is_seen():
    files = graph_file.to_files(graph_of(dense()))
    other = graph_file.to_files(graph_of(dense(weights=np.arange(8).reshape(4, 2) - 4)))
    mixed = FileSet(dict(files) | {graph_file.GRAPH_NPZ: other[graph_file.GRAPH_NPZ]})
    with pytest.raises(StoreError, match="not what was written"):
        graph_file.from_files(mixed)


def test_an_edited_document_is_seen():
    files = graph_file.to_files(graph_of(dense()))
    changed = edited(files, lambda document: document.update(name="else"), resealed=False)
    with pytest.raises(StoreError, match="not what was written"):
        graph_file.from_files(changed)


def test_a_newer_version_is_refused_by_its_number():
    files = graph_file.to_files(graph_of(dense()))
    newer = edited(files, lambda document: document.update(format_version=99))
    with pytest.raises(StoreError, match="version 99 was written by a newer trigforge"):
        graph_file.from_files(newer)


@pytest.mark.parametrize("version", [None, 0, "1", True])
def test_a_document_without_a_version_is_refused(version):
    files = graph_file.to_files(graph_of(dense()))
    with pytest.raises(StoreError, match="no format_version"):
        graph_file.from_files(
            edited(files, lambda document: document.update(format_version=version))
        )


def test_an_older_version_is_migrated(monkeypatch):
    def plant(document):
        for node in document["nodes"]:
            node["precision"] = node.pop("format")

    def migrate(document):
        for node in document["nodes"]:
            node["format"] = node.pop("precision")
        return document | {"format_version": 2}

    old = edited(graph_file.to_files(every_kind()), plant)
    monkeypatch.setattr(graph_file, "FORMAT_VERSION", 2)
    monkeypatch.setattr(graph_file, "MIGRATIONS", {1: migrate})
    assert_equal(every_kind(), graph_file.from_files(old))


def test_every_older_version_has_a_migration():
    assert set(graph_file.MIGRATIONS) == set(range(1, graph_file.FORMAT_VERSION))


def drop(key):
    return lambda document: document["nodes"][1].pop(key)


def put(**values):
    return lambda document: document["nodes"][1].update(values)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (put(type="Recurrent"), "unknown type of node 'Recurrent'; known: Activation, Conv"),
        (drop("type"), "a node without a type"),
        (put(colour="red"), r"unknown fields \['colour'\]"),
        (drop("bias"), r"missing fields \['bias'\]"),
        (put(shape="2"), "shape: '2' is no list"),
        (put(shape=[2.0]), "shape: .* is no list"),
        (put(name=3), "name: 3 is no str"),
        (put(format="float"), "no fixed-point type"),
        (put(format=None), "format: None is no"),
        (put(bias={"array": "nowhere", "shape": [2]}), "no array 'nowhere' in graph.npz"),
        (put(bias={"array": "dense/bias", "shape": [3]}), r"shape \[2\], not int64 of \[3\]"),
        (put(bias=[1, 2]), "no array None"),
        (put(inputs=["nowhere"]), "unknown input 'nowhere'"),
        (lambda document: document.update(nodes=None), "needs a name and a list of nodes"),
    ],
)
def test_what_is_no_graph_is_refused(edit, message):
    files = edited(graph_file.to_files(graph_of(dense())), edit)
    with pytest.raises(InputError, match=message):
        graph_file.from_files(files)


def test_an_unknown_kind_of_pooling_is_refused():
    def edit(document):
        next(node for node in document["nodes"] if node["name"] == "pool")["kind"] = "median"

    with pytest.raises(InputError, match="unknown PoolKind 'median'; known: average, maximum"):
        graph_file.from_files(edited(graph_file.to_files(every_kind()), edit))


def test_an_array_of_another_type_is_refused():
    files = graph_file.to_files(graph_of(dense()))
    document = json.loads(files[graph_file.GRAPH_JSON])
    arrays = graph_file._unpack(files[graph_file.GRAPH_NPZ], "test")
    arrays["dense/bias"] = arrays["dense/bias"].astype(np.float64)
    document.pop("digest")
    document["digest"] = graph_file._digest(document, arrays)
    changed = FileSet(
        {
            graph_file.GRAPH_JSON: json.dumps(document),
            graph_file.GRAPH_NPZ: graph_file._pack(arrays),
        }
    )
    with pytest.raises(InputError, match="float64 of shape"):
        graph_file.from_files(changed)


@pytest.mark.parametrize("name", [graph_file.GRAPH_JSON, graph_file.GRAPH_NPZ])
@pytest.mark.parametrize("content", [b"", b"[1]", b"{", None])
def test_a_missing_or_broken_file_is_named(name, content):
    files = dict(graph_file.to_files(graph_of(dense())))
    files.pop(name)
    if content is not None:
        files[name] = content
    with pytest.raises(StoreError, match=name):
        graph_file.from_files(FileSet(files))


def test_a_pickled_object_is_not_loaded():
    files = dict(graph_file.to_files(graph_of(dense())))
    stream = io.BytesIO()
    np.savez(stream, bias=np.array([{}], dtype=object))
    files[graph_file.GRAPH_NPZ] = stream.getvalue()
    with pytest.raises(StoreError, match="unreadable"):
        graph_file.from_files(FileSet(files))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is not a folder"):
        graph_file.load(tmp_path / "none")
