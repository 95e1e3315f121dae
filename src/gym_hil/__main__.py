"""``python -m gym_hil``: the command line."""

from gym_hil.cli import main

if __name__ == "__main__":
    try:
        main()
    finally:
        # After a KeyboardInterrupt inside `exec` or `eval` of a string, which dataclasses use, Python replaces the exit
        # status by its own, even if the exception was caught. Evaluating another string undoes this.
        exec("")
