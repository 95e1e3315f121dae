"""Episodes on disk: recorded safely, read with suspicion, replayed bit for bit."""
