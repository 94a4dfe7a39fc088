from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from trigforge.core.config import DenseNetwork, Spec
from trigforge.core.errors import SpecError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.spec_file import parse_spec, read_spec

MODELS = Path(__file__).parents[3] / "models"
SPECS = sorted(MODELS.glob("*.yaml"))

JETS = yaml.safe_load((MODELS / "jet_tagger.yaml").read_text())
JETS["acceptance"]["io_types"] = ["io_parallel"]
IMAGES = yaml.safe_load((MODELS / "top_tagger.yaml").read_text())
BLOCK = {"filters": 4, "kernel": 3, "padding": "valid", "pool": 2}


def changed(spec, **changes):
    """Return a copy with keys set by path (``sample__seed=2``) or, with ``...``, taken out."""
    result = copy.deepcopy(spec)
    for path, value in changes.items():
        *sections, key = path.split("__")
        section = result
        for name in sections:
            section = section[name]
        if value is ...:
            del section[key]
        else:
            section[key] = value
    return result


def images(**changes):
    return changed(IMAGES, **changes)


def message_of(data) -> str:
    with pytest.raises(SpecError) as error:
        parse_spec(data, where="spec.yaml")
    message = str(error.value)
    assert message.startswith("spec.yaml: ")
    return message


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_specs_of_the_repository_are_valid(path):
    assert read_spec(path).name == path.stem


def test_the_repository_has_specs():
    assert {path.stem for path in SPECS} >= {"jet_tagger", "top_tagger"}


def test_a_spec_gives_its_formats_as_values():
    spec = parse_spec(JETS, where="spec.yaml")
    assert isinstance(spec.network, DenseNetwork)
    assert spec.quantization.parsed("weight_format") == FixedPointFormat(True, 6, 1)


def test_a_spec_cannot_be_changed():
    spec = parse_spec(JETS, where="spec.yaml")
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"


WRONG_KEYS = {
    "name": ("Jets", "name: String should match pattern"),
    "spec_version": (2, "spec_version: Input should be 1 (got 2)"),
    "sample__jets_per_class": (99, "sample.jets_per_class: Input should be greater than or equal"),
    "sample__test_fraction": (1.0, "sample.test_fraction: Input should be less than 1 (got 1.0)"),
    "sample__seed": (0, "sample.seed: Input should be greater than or equal to 1 (got 0)"),
    "sample__parton_pt_gev": ([950], "sample.parton_pt_gev.1: missing"),
    "sample__boson_source": ("higgs", "sample.boson_source: Input should be 'scalar'"),
    "sample__kind": ("jets_hf", "sample: Input tag 'jets_hf'"),
    "network__architecture": ("dens", "network: Input tag 'dens'"),
    "network__hidden_units": ([16, 0], "network.hidden_units.1: Input should be greater than"),
    "quantization__weight_format": (
        "fixed<6>",
        "quantization.weight_format: 'fixed<6>' is no fixed-point type",
    ),
    "quantization__bias_format": ("fixed<0,1>", "quantization.bias_format: fixed-point width 0"),
    "quantization__activation_format": (
        "ufixed<6,2,RND,SAT>",
        "quantization.activation_format: write it without modes",
    ),
    "training__learning_rate": ("fast", "training.learning_rate: Input should be a valid number"),
    "training__epochs": (0, "training.epochs: Input should be greater than or equal to 1 (got 0)"),
    "hardware__clock_mhz": (0, "hardware.clock_mhz: Input should be greater than 0 (got 0)"),
    "hardware__part": ("a part!", "hardware.part: String should match pattern"),
    "hardware__io_type": ("io_serial", "hardware.io_type: Input should be 'io_parallel'"),
    "budget__latency_ns": (-1, "budget.latency_ns: Input should be greater than 0 (got -1)"),
    "budget__lut_share": (1.1, "budget.lut_share: Input should be less than or equal to 1"),
    "acceptance__bit_exact": (False, "acceptance.bit_exact: Input should be True (got False)"),
    "acceptance__io_types": ([], "acceptance.io_types: Tuple should have at least 1 item"),
}


@pytest.mark.parametrize("path", WRONG_KEYS)
def test_a_wrong_key_is_named_with_its_path(path):
    value, expected = WRONG_KEYS[path]
    message = message_of(changed(JETS, **{path: value}))
    assert message.startswith("spec.yaml: 1 problem(s)\n  ")
    assert expected in message


def test_all_wrong_keys_are_named_at_once():
    wrong = {path: value for path, (value, _) in WRONG_KEYS.items() if "__" in path}
    del wrong["sample__kind"], wrong["network__architecture"]
    message = message_of(changed(JETS, **wrong))
    assert f"{len(wrong)} problem(s)" in message
    for path in wrong:
        assert WRONG_KEYS[path][1] in message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("hardware__clok_mhz", "hardware.clok_mhz: unknown key"),
        ("network__hiden_units", "network.hiden_units: unknown key"),
        ("sample__n_pixels", "sample.n_pixels: unknown key"),
        ("budgets", "budgets: unknown key"),
        ("network__dense", "network.dense: unknown key"),
    ],
)
def test_an_unknown_key_is_named(path, expected):
    assert expected in message_of(changed(JETS, **{path: 1}))


def test_a_misspelt_key_is_named_as_unknown_and_the_right_one_as_missing():
    message = message_of(changed(JETS, hardware__clock_mhz=..., hardware__clock_mHz=320))
    assert "hardware.clock_mhz: missing" in message
    assert "hardware.clock_mHz: unknown key" in message


@pytest.mark.parametrize(
    "path", ["hardware__part", "hardware__clock_mhz", "training__seed", "sample__seed", "name"]
)
def test_what_matters_has_no_default(path):
    assert f"{path.replace('__', '.')}: missing" in message_of(changed(JETS, **{path: ...}))


def test_a_missing_section_and_a_missing_kind_are_named():
    message = message_of(changed(JETS, budget=..., sample__kind=...))
    assert "budget: missing" in message
    assert "sample: Unable to extract tag using discriminator 'kind'" in message


def test_images_are_a_valid_spec():
    parse_spec(images(), where="spec.yaml")


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([{**BLOCK, "kernel": 11, "pool": 4}, BLOCK], "network.blocks.1: a 1x1 map is too small"),
        ([BLOCK, BLOCK, BLOCK], "network.blocks.2: a 2x2 map is too small for kernel 3 (valid)"),
        (
            [{**BLOCK, "padding": "same", "stride": 4, "pool": 4}, {**BLOCK, "padding": "same"}],
            "network.blocks.1: a 1x1 map is too small for kernel 3 (same), stride 1, pool 2",
        ),
    ],
)
def test_a_map_too_small_for_its_block_is_refused(blocks, expected):
    assert expected in message_of(images(network__blocks=blocks))


def test_a_map_of_one_pixel_is_enough():
    blocks = [BLOCK, {**BLOCK, "pool": 4}]
    spec = images(network__blocks=blocks, sample__n_pixels=14)
    parse_spec(spec, where="spec.yaml")
    spec["sample"]["n_pixels"] = 13
    assert "network.blocks.1: a 5x5 map is too small" in message_of(spec)


def test_a_convolution_needs_images():
    network = {"architecture": "conv2d", "blocks": [BLOCK]}
    message = message_of(changed(JETS, network=network))
    assert "network.architecture: conv2d needs images; jets_hlf has 16 features" in message


def test_jets_need_an_input_format():
    message = message_of(changed(JETS, quantization__input_format=...))
    assert "quantization.input_format: jets_hlf features are standardised" in message


@pytest.mark.parametrize("link", ["ufixed<7,2>", "fixed<8,2>", "ufixed<8,2,TRN,SAT>"])
def test_a_link_that_cannot_carry_the_pixels_is_refused(link):
    message = message_of(images(quantization__link_format=link))
    assert "cannot carry 8-bit unsigned pixels; write ufixed<8,...>" in message


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("weight_format", "ufixed<6,1>", "weight_format: ufixed<6,1> must be signed"),
        ("bias_format", "uint<6>", "bias_format: uint<6> must be signed"),
        ("activation_format", "fixed<6,2>", "activation_format: fixed<6,2> must be unsigned"),
    ],
)
def test_a_format_of_the_wrong_sign_is_refused(key, text, expected):
    assert expected in message_of(changed(JETS, **{f"quantization__{key}": text}))


def test_the_io_type_of_the_hardware_must_be_accepted():
    message = message_of(changed(JETS, hardware__io_type="io_stream"))
    assert "acceptance.io_types: must contain hardware.io_type io_stream" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("path", ["hardware__clock_mhz", "budget__latency_ns", "sample__pixel_lsb"])
def test_a_number_that_is_not_finite_is_refused(path, value):
    assert f"{path.replace('__', '.')}: " in message_of(images(**{path: value}))


@pytest.mark.parametrize("path", ["sample__parton_pt_gev", "sample__jet_pt_gev"])
def test_a_range_that_runs_backwards_is_refused(path):
    spec = JETS if "parton" in path else images()
    message = message_of(changed(spec, **{path: [650, 550]}))
    assert f"{path.replace('__', '.')}: 650 to 550 is no range" in message


@pytest.mark.parametrize("data", [None, [], "text", 3, [JETS]])
def test_what_is_no_mapping_is_refused_and_the_keys_named(data):
    message = message_of(data)
    assert "a spec is a mapping with the keys spec_version, name, sample" in message


def test_keys_that_are_no_text_are_named():
    assert "1: Keys should be strings" in message_of({**JETS, 1: 2})


def write(tmp_path, content) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_spec_is_read_from_a_file(tmp_path):
    read = read_spec(write(tmp_path, yaml.safe_dump(JETS)))
    assert read == parse_spec(JETS, where="spec.yaml")
    assert isinstance(read, Spec)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: [1, 2", "not YAML: while parsing a flow sequence"),
        ("a: b: c", "not YAML: mapping values are not allowed here"),
        ("\ta: 1", "not YAML: while scanning"),
        (b"\xff\xfe\x00\x01binary", "cannot read the spec: 'utf-8' codec"),
        (b"a\x00b", "not YAML: unacceptable character"),
        ("", "a spec is a mapping"),
        ("# only a comment", "a spec is a mapping"),
        ("- 1\n- 2", "a spec is a mapping"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path, content, expected):
    with pytest.raises(SpecError) as error:
        read_spec(write(tmp_path, content))
    assert str(error.value).startswith(f"{tmp_path / 'spec.yaml'}: ")
    assert expected in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SpecError, match="cannot read the spec: No such file"):
        read_spec(tmp_path / "nowhere.yaml")
    with pytest.raises(SpecError, match="cannot read the spec: Is a directory"):
        read_spec(tmp_path)


def test_a_file_that_yaml_cannot_bear_is_refused(tmp_path):
    with pytest.raises(SpecError, match="not YAML: month must be in"):
        read_spec(write(tmp_path, "name: 2024-13-45"))
    with pytest.raises(SpecError, match="not YAML: maximum recursion depth"):
        read_spec(write(tmp_path, "[" * 5000))


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:pathlib.Path.touch",
        "!!python/object:trigforge.core.config.Spec",
        "!!python/name:os.system",
    ],
)
def test_a_file_that_would_make_python_objects_is_refused(tmp_path, tag):
    with pytest.raises(SpecError, match="not YAML: could not determine a constructor for the tag"):
        read_spec(write(tmp_path, f"name: {tag} {{}}"))


def test_a_key_written_twice_is_refused(tmp_path):
    content = yaml.safe_dump(JETS) + "\nname: other\n"
    with pytest.raises(SpecError, match="'name' is written twice"):
        read_spec(write(tmp_path, content))
