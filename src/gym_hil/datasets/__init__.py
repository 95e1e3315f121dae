"""Datasets of recorded episodes: crash-safe recording, validation, exact replay and export to other formats."""
