"""Gradus: verified, difficulty-staged data for reasoning models, and the trainer that learns from it."""

__version__ = "0.1.0"
