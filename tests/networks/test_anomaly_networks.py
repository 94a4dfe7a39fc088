"""Networks whose one output is a score: the autoencoder that computes its own, the student."""

import numpy as np
import pytest
from pydantic import ValidationError

from trigforge.core.config import Conv2dStudent, DenseAutoencoder, Quantization, Teacher
from trigforge.core.fixed_point import parse_format, to_values
from trigforge.core.records import Port, RawTensor
from trigforge.networks import reference, teacher
from trigforge.networks.quantisers import quantised_weights
from trigforge.networks.zoo import build_float, build_quantised

FORMATS = Quantization(
    link_format="fixed<10,10>",
    input_format="fixed<8,4>",
    weight_format="fixed<6,1>",
    bias_format="fixed<6,1>",
    activation_format="ufixed<6,2>",
)
AUTOENCODER = DenseAutoencoder(
    architecture="dense_autoencoder", hidden_units=(6, 3), score_format="ufixed<9,5>"
)
TEACHER = Teacher(filters=(4, 6), latent_units=5, epochs=1)
STUDENT = Conv2dStudent(
    architecture="conv2d_student",
    blocks=[{"filters": 2, "kernel": 3, "stride": 2, "padding": "valid"}],
    hidden_units=(4,),
    teacher=TEACHER,
    score_per_e_fold=8,
    score_format="ufixed<10,6>",
)


def quantised_autoencoder():
    model = build_quantised(AUTOENCODER, FORMATS, (9,), 1)
    x = np.random.default_rng(3).integers(-300, 300, (400, 9)).astype(np.float32)
    model.get_layer("standardise").fit(x)
    return model, x


def test_the_float_score_is_the_sum_of_squared_errors():
    model = build_float(AUTOENCODER, (9,), 1)
    x = np.random.default_rng(1).normal(size=(50, 9)).astype(np.float32)
    decoded = type(model)(model.inputs[0], model.get_layer("decoded").output)(x)
    expected = ((x - np.asarray(decoded)) ** 2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(model(x)), expected, rtol=1e-5)


def test_the_quantised_score_is_the_exact_sum_of_squares_of_quantised_values():
    model, x = quantised_autoencoder()
    fmt = parse_format("ufixed<9,5>")
    port = Port(name="score", shape=(1,), format=fmt)
    x[:20] = 511  # so far off that the score saturates
    inputs = RawTensor(format=parse_format("fixed<10,10>"), raw=x.astype(np.int64))
    found = reference.evaluate(model, inputs, port).raw
    with reference.float64_numbers():
        twin = reference.exact_model(model)
        inner = type(twin)(
            twin.inputs[0], [twin.get_layer(n).output for n in ("standardised", "decoded_cast")]
        )
        standard, decoded = (np.asarray(part) for part in inner(x.astype(np.float64)))
    units = np.rint((standard - decoded) * 2**4).astype(np.int64)
    total = (units**2).sum(axis=1, keepdims=True)
    whole, odd = np.divmod(total, 2**4)
    rounded = whole + ((odd > 8) | ((odd == 8) & (whole % 2 == 1)))
    np.testing.assert_array_equal(found, np.minimum(rounded, fmt.raw_max))
    assert (found == fmt.raw_max).any()
    assert len(np.unique(found)) > 50


def test_the_encoder_is_mirrored_and_the_sum_has_weights_of_one_that_are_not_trained():
    model, _ = quantised_autoencoder()
    shapes = [w.shape for w in model.trainable_weights if len(w.shape) == 2]
    assert shapes == [(9, 6), (6, 3), (3, 6), (6, 9)]
    np.testing.assert_array_equal(quantised_weights(model.get_layer("score_sum"))["kernel"], 1.0)


def test_a_student_ends_in_a_score_without_sign():
    model = build_quantised(STUDENT, FORMATS, (9, 7, 1), 1)
    x = np.random.default_rng(4).integers(0, 300, (200, 9, 7, 1)).astype(np.float32)
    model.get_layer("standardise").fit(x.reshape(-1, 1))
    found = model.predict(x, verbose=0)
    assert found.shape == (200, 1)
    assert (found >= 0).all()
    baseline = build_float(STUDENT, (9, 7, 1), 1)
    assert [w.shape for w in baseline.trainable_weights] == [
        w.shape for w in model.trainable_weights
    ]


@pytest.mark.parametrize("shape", [(18, 14, 1), (8, 8, 1), (7, 5, 2)])
def test_a_teacher_gives_back_the_shape_it_is_given(shape):
    assert teacher.build(TEACHER, shape).output_shape[1:] == shape


def test_the_teachers_score_grows_with_the_logarithm_of_its_error():
    model = teacher.build(TEACHER, (8, 8, 1))
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    x = np.stack([np.full((8, 8, 1), value, np.float32) for value in (0.0, 1.0, 3.0)])
    found = teacher.scores(model, x, 8.0)
    np.testing.assert_allclose(found[:, 0], 8 * np.log([1, 2, 10]), rtol=1e-6)


@pytest.mark.parametrize("text", ["fixed<12,8>", "ufixed<12,8,AP_RND,AP_SAT>"])
def test_a_score_has_no_sign_and_no_modes(text):
    with pytest.raises(ValidationError, match="write ufixed<..> without modes"):
        DenseAutoencoder(architecture="dense_autoencoder", hidden_units=(2,), score_format=text)
    assert to_values(np.array([1]), parse_format("ufixed<12,8>")) == 2**-4
