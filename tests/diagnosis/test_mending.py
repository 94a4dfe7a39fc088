"""One line of the configuration for all that is asked of it."""

from trigforge.core.diagnosis import Cause, Finding, Mend
from trigforge.diagnosis.mending import configuration

PATH = "LayerName.dense.Precision.result"


def finding(layer, value, path=PATH):
    return Finding(
        cause=Cause.RESULT_INTEGER_BITS,
        layer=layer,
        event=0,
        element=0,
        position=(0,),
        expected=1.0,
        found=0.0,
        evidence="",
        mends=(Mend(path=path, value=value),),
    )


def lines(*findings):
    return [str(mend) for mend in configuration(findings)]


def test_a_later_cause_of_a_layer_holds_the_earlier():
    both = finding("dense", "fixed<22,6>"), finding("dense", "fixed<25,9>")
    assert lines(*both) == [f"{PATH}: fixed<25,9>"]


def test_a_format_that_two_layers_ask_for_holds_both():
    both = finding("dense", "fixed<19,9,RND,SAT>"), finding("softmax", "fixed<20,7>")
    assert lines(*both) == [f"{PATH}: fixed<22,9,RND,SAT>"]
    both = finding("dense", "ufixed<8,4>"), finding("pool", "fixed<8,4>")
    assert lines(*both) == [f"{PATH}: fixed<9,5>"]


def test_other_lines_stay_apart():
    table = finding("sigmoid", "4096", "LayerName.sigmoid.TableSize")
    assert lines(finding("dense", "fixed<8,4>"), table) == [
        f"{PATH}: fixed<8,4>",
        "LayerName.sigmoid.TableSize: 4096",
    ]
