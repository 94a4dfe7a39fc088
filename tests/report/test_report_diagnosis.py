import dataclasses
import io

from rich.console import Console

from trigforge.core.diagnosis import Cause, Diagnosis, Finding, LayerComparison, Mend
from trigforge.core.fixed_point import parse_format
from trigforge.report import diagnosis as report

FINDING = Finding(
    cause=Cause.ACCUMULATOR_OVERFLOW,
    layer="dense_1",
    event=17,
    element=3,
    position=(3,),
    expected=9.5,
    found=-6.5,
    evidence="the sum of element 3 in event 17 reaches 9.5 after term 5 of 16",
    format=parse_format("fixed<8,4>"),
    found_raw=-104,
    mends=(Mend(path="LayerName.dense_1.Precision.accum", value="fixed<14,6>"),),
    n_values=600,
    n_explained=41,
)
LAYER = LayerComparison(
    layer="dense_1",
    original=("dense_1", "norm"),
    n_values=600,
    n_different=41,
    n_own=41,
    largest=16.0,
)
FOUND = Diagnosis(
    referees=("QKeras, exact", "graph"),
    n_events=200,
    layers=(LAYER,),
    findings=(FINDING,),
    configuration=FINDING.mends,
)


def text_of(diagnosis: Diagnosis) -> str:
    out = io.StringIO()
    Console(file=out, width=110, markup=False, soft_wrap=True).print(report.show(diagnosis))
    return out.getvalue()


def test_a_cause_is_shown_with_its_place_its_evidence_and_its_mend():
    text = text_of(FOUND)
    assert "graph against QKeras, exact, layer by layer, 200 events" in text
    assert "dense_1 + norm" in text
    assert (
        "1. dense_1: overflow of the accumulator; event 17, element 3: expected 9.5, "
        "found -6.5 (raw -104)\n" in text
    )
    assert "   the sum of element 3 in event 17 reaches 9.5 after term 5 of 16\n" in text
    assert "   explains 41 of 600 values\n" in text
    assert text.count("LayerName.dense_1.Precision.accum: fixed<14,6>") == 2
    assert text.endswith("1 cause(s); the first is overflow of the accumulator in dense_1\n")


def test_what_stays_wrong_is_not_hidden():
    finding = dataclasses.replace(
        FINDING,
        position=(1, 0, 2),
        expected_raw=5,
        hidden=True,
        n_remaining=7,
        advice="do this",
        mends=(),
    )
    diagnosis = dataclasses.replace(
        FOUND, findings=(finding,), configuration=(), unmatched=("lost",), unmatched_nodes=("made",)
    )
    text = text_of(diagnosis)
    assert "element 3 (1, 0, 2): expected 9.5 (raw 5), found -6.5" in text
    assert "once the faults before it are mended" in text
    assert "; 7 of this layer stay wrong" in text
    assert "   advice: do this\n" in text
    assert "only in QKeras, exact: lost\n" in text
    assert "only in graph: made\n" in text
    assert "changes that mend it" not in text


def test_agreement_and_the_lack_of_it_are_told_apart():
    assert text_of(dataclasses.replace(FOUND, findings=(), configuration=())).endswith(
        "all 1 layers agree\n"
    )
    empty = dataclasses.replace(FOUND, findings=(), configuration=(), layers=())
    assert not empty.met
    assert text_of(empty).endswith("nothing was compared: no layer has a counterpart\n")
