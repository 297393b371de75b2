"""The PyTorch engine of Distillery: it answers the requests of docs/engine.md on standard input and output."""

__version__ = "0.1.0"
PROTOCOL = 1
