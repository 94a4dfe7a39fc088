import re
import subprocess
import sys
from pathlib import Path

ATTACK = Path(__file__).with_name("model_attack.py")
N_MUTATIONS = 100
LIMIT_S = 600


def test_corrupt_models_are_read_or_refused_in_one_line(tmp_path):
    """One process of its own: native libraries may crash, and its memory is limited."""
    done = subprocess.run(
        [sys.executable, ATTACK, tmp_path, str(N_MUTATIONS)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.findall(r"(\S+): (\d+) read, (\d+) refused", done.stdout)
    assert len(counts) == 6
    for name, n_read, n_refused in counts:
        assert int(n_read) + int(n_refused) == N_MUTATIONS, name
        assert int(n_refused) > N_MUTATIONS / 5, name
