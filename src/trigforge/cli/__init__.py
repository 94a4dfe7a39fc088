"""The command line: thin, and quick to start.

``main`` is the entry point. Commands import what they need when they run, so that
``--version`` and ``--help`` do not wait for Keras.
"""

from trigforge.cli.app import main

__all__ = ["main"]
