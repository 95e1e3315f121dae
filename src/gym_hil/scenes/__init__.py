"""What a task puts around a robot, as data that needs no simulator."""
