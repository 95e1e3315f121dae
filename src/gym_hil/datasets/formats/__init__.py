"""Formats to which recorded episodes can be exported."""
