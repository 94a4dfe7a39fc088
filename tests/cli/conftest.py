import pytest
import tiny_models


@pytest.fixture
def spec_file(tmp_path):
    """A spec without sample, weights or workspace: what a command needs when all is mocked."""
    path = tmp_path / "tiny_jets.yaml"
    path.write_text(tiny_models.yaml.safe_dump(tiny_models.spec_data("jets_hlf")))
    return path
