from __future__ import annotations

import inspect

import pytest

from trigforge.core import errors


def test_every_error_is_a_trigforge_error():
    kinds = [entry for _, entry in inspect.getmembers(errors, inspect.isclass)]
    kinds = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert len(kinds) >= 7
    assert all(issubclass(kind, errors.TrigforgeError) for kind in kinds)


def test_no_error_hides_among_those_of_python():
    for builtin in (ValueError, OSError, RuntimeError):
        assert not issubclass(errors.TrigforgeError, builtin)


@pytest.mark.parametrize("known", [["b", "a"], ("a", "b"), iter("ba")])
def test_an_unknown_name_lists_the_known_ones_sorted(known):
    message = errors.unknown_name("layer", "Dens", known)
    assert message == "unknown layer 'Dens'; known: a, b"
