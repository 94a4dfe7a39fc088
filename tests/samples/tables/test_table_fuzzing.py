from pathlib import Path

import mutations

ATTACK = Path(__file__).with_name("table_attack.py")
N_MUTATIONS = 300
LIMIT_S = 120


def test_corrupt_files_are_read_or_refused_in_one_line(tmp_path):
    """One process of its own: native libraries may crash, and its memory is limited."""
    out, err = mutations.attack_apart(ATTACK, tmp_path, N_MUTATIONS, LIMIT_S)
    assert err == ""
    assert "compiled" not in out
    refused = mutations.counts_of(out, N_MUTATIONS)
    assert len(refused) == 13
    assert min(refused.values()) > N_MUTATIONS / 3, refused
