"""Scenes: the objects around a robot, as data that does not depend on the simulator."""
