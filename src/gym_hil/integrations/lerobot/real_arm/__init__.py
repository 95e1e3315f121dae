"""An arm outside the simulation, reached through LeRobot's `Robot` class, as an environment of this package."""
