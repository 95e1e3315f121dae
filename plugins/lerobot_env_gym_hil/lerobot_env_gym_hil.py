"""LeRobot imports every distribution whose name begins with ``lerobot_env_``; this one registers."""

from gym_hil.integrations.lerobot import configuration_trained, env_config, robot, teleoperator

__all__ = ["configuration_trained", "env_config", "robot", "teleoperator"]
