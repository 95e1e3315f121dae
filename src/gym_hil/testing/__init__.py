"""Conformance tests for devices and operators, including those of other packages.

`devices` does not need a test runner; `operators` needs pytest.
"""
