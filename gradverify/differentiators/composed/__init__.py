"""Layers and activations of a library that has none of its own."""
