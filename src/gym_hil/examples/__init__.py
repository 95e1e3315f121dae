"""Runnable programs."""
