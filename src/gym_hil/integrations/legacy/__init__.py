"""Module paths, classes and attributes of earlier versions, for scripts that still use them.

`aliases` contains the table of moved modules. The other modules provide the parts of gym-hil 0.1.14 that this
package does differently.
"""
