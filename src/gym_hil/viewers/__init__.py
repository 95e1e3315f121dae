"""Viewers: a window and a web page that show the robot to a person."""
