"""Conformance suites that anybody can run over devices and operators of their own.

`devices` imports no test runner; `operators` needs pytest.
"""
