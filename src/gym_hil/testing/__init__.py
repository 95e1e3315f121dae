"""Conformance suites that anybody can run over devices of their own. Importing it imports no test runner."""
