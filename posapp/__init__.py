"""The point of sale of the restaurant Steak Kenangan."""

__version__ = "1.0.0"
