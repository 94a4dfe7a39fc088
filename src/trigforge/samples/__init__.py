"""Collisions, jets, features and images: where a sample comes from.

``SampleSpec -> Sample``. Read ``generation`` first: it composes the other modules.
"""
