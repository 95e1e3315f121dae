"""Integrations with LeRobot and with programs for earlier versions."""
