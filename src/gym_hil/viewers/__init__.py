"""Where a person sees the robot."""
