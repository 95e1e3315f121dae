"""Wrappers, and the factory that stacks them."""
