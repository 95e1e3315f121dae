"""Module paths, classes and attributes of earlier versions, for scripts that still use them.

`aliases` holds the table of moved modules. The other modules hold what gym-hil 0.1.14 offers and this package
does differently.
"""
