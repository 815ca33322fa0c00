"""Functions of PyTorch: how they are called, traced, and asked for derivatives."""
