"""Wrappers for pacing, automatic resets, and the action and observation formats of other programs."""
