"""Keras networks: architectures, quantisers as formats, and their exact evaluation."""
