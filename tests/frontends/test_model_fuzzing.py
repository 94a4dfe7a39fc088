from pathlib import Path

import mutations

ATTACK = Path(__file__).with_name("model_attack.py")
N_MUTATIONS = 100
LIMIT_S = 600


def test_corrupt_models_are_read_or_refused_in_one_line(tmp_path):
    """One process of its own: native libraries may crash, and its memory is limited."""
    out, _ = mutations.attack_apart(ATTACK, tmp_path, N_MUTATIONS, LIMIT_S)
    refused = mutations.counts_of(out, N_MUTATIONS)
    assert len(refused) == 6
    assert min(refused.values()) > N_MUTATIONS / 5, refused
