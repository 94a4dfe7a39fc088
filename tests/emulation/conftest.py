"""One compiled network and one cluster of two workers for all tests here."""

import pytest
import small_campaigns

from trigforge import cluster


@pytest.fixture(scope="session")
def scorer(session_store):
    return small_campaigns.scorer(session_store)


@pytest.fixture(scope="session")
def client():
    with cluster.connect(None, n_workers=2) as connected:
        yield connected
