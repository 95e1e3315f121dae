"""Conformance tests for devices and operators, also of other packages.

`devices` does not need a test runner; `operators` needs pytest.
"""
