"""``python -m gym_hil``: the command line."""

from gym_hil.cli import main

if __name__ == "__main__":
    main()
