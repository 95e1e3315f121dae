"""Builds environments with all layers for an arm outside the simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.lerobot.real_arm.attendance import HoldWhilePaused, pause_while_away
from gym_hil.integrations.lerobot.real_arm.connection import ConnectedArm
from gym_hil.integrations.lerobot.real_arm.digital_twin import SafetyLimits
from gym_hil.integrations.lerobot.real_arm.environment import RealArmEnv
from gym_hil.integrations.lerobot.real_arm.leader import LEADER
from gym_hil.integrations.lerobot.real_arm.prompt import Prompt
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.intervention.human import Human
from gym_hil.intervention.named import OPERATORS
from gym_hil.stacks.build import build_env, configured_operator
from gym_hil.stacks.config import EnvConfig

READ_THE_TERMINAL = ("terminal", "spacemouse", LEADER)
"""Operators whose devices read the keys of the terminal."""


@dataclass(frozen=True, kw_only=True)
class RealArm:
    """An arm outside the simulation, from which environments are built like those of the simulation.

    Attributes:
        connect: returns a connection to the arm.
        limits: safety limits of the arm.
        scene: host and port of a program that measures the poses of the objects; None without such a program.
        description: instruction for the person in words; by default that of the task.
        make_leader: returns a person with a leader arm, for the operator ``"leader"``; None without a leader arm.
        clock: clock that keeps the control rate.
    """

    connect: Callable[[], ConnectedArm]
    limits: SafetyLimits = field(default_factory=SafetyLimits)
    scene: str | None = None
    description: str = ""
    make_leader: Callable[[], Human] | None = None
    clock: Clock = SYSTEM_CLOCK

    def build(self, config: EnvConfig) -> gym.Env:
        """Return the environment of a configuration with all layers.

        The person confirms by Enter or by their device before each episode that the arm may move. A simulated human can
        drive only if a program measures the poses of the objects; the person then confirms once, and the program puts
        the objects back.

        Args:
            config: the configuration, whose robot must be an SO-101.

        Raises:
            InvalidArgumentError: the robot is not an SO-101, or the operator needs poses of objects, which are not
                measured.
        """
        name = config.robot if isinstance(config.robot, str) else config.robot.name
        if name != "so101":
            raise InvalidArgumentError(
                f"robot={name!r} is not the robot of the arm; use an id of so101, such as SO101PickCube-v1"
            )
        scripted = isinstance(config.operator, str) and config.operator in OPERATORS
        if scripted and self.scene is None:
            raise InvalidArgumentError(
                f"operator={config.operator!r} needs the poses of the objects, which a program must measure if the arm "
                "is outside the simulation (--robot-scene); otherwise use a person's device or a policy"
            )
        person = (
            self.make_leader()
            if self.make_leader is not None and config.operator == LEADER
            else configured_operator(config)
        )
        operator = pause_while_away(person)
        scene = None if self.scene is None else MeasuredScene(self.scene)
        simulated = operator is not None and (operator.simulated or operator.device is None)
        prompt = Prompt(typed=config.operator not in READ_THE_TERMINAL, clock=self.clock)
        put_back = _AutomaticReset(prompt, scene) if simulated and scene is not None else prompt

        def innermost(*, robot: Any, **arguments: Any) -> RealArmEnv:
            return RealArmEnv(
                self.connect(),
                robot,
                prompt,
                put_back=put_back,
                limits=self.limits,
                scene=scene,
                description=self.description,
                clock=self.clock,
                **arguments,
            )

        env = build_env(config.replace(operator=operator, real_time=False), raw_env=innermost)
        prompt.attach(env)
        return HoldWhilePaused(env, self.clock)


class _AutomaticReset:
    """Lets the program that measures the objects put them back, after a person has confirmed once."""

    def __init__(self, prompt: Prompt, scene: MeasuredScene) -> None:
        self._prompt, self._scene, self._agreed = prompt, scene, False

    def __call__(self, text: str) -> None:
        if not self._agreed:
            self._prompt(
                "Keep clear: a simulated human drives the arm, which moves without further confirmation."
            )
            self._agreed = True
        if not self._scene.put_back():
            self._prompt(text)
