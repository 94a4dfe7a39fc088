from trigforge.report import card

PROVENANCE = {
    "n_train": 150000,
    "seed": 7,
    "sample": {"seed": 1804},
    "versions": {"keras": "3.15.1", "qkeras": "1.2.1"},
}


def test_the_card_says_what_the_network_is_and_how_well_it_does(spec, summary):
    text = card.make(spec, PROVENANCE, (summary.float_metrics, summary.quantised_metrics))
    assert text.startswith("# tiny_jets\n")
    assert "Architecture `dense`, weights `fixed<6,1>`, activations `ufixed<6,2>`" in text
    assert "Trained on 150000 events (jets_hlf, Pythia seed 1804), training seed 7" in text
    assert "keras 3.15.1, qkeras 1.2.1" in text
    assert "On 5000 held-out events:" in text
    assert "\n| accuracy | 0.7337 | 0.7302 |\n" in text
    assert "\n| 1/background at 50% top | 31.6 | 29.5 |\n" in text


def test_the_card_names_no_path_of_the_machine_it_was_made_on(spec, summary):
    text = card.make(spec, PROVENANCE, (summary.float_metrics, summary.quantised_metrics))
    assert ".npz" not in text
    assert str(summary.report) not in text
