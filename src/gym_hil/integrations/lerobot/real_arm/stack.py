"""An arm outside the simulation as the robot of the usual stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.lerobot.real_arm.attendance import HoldWhilePaused, attended
from gym_hil.integrations.lerobot.real_arm.connection import ConnectedArm
from gym_hil.integrations.lerobot.real_arm.environment import RealArmEnv
from gym_hil.integrations.lerobot.real_arm.leader import LEADER
from gym_hil.integrations.lerobot.real_arm.mirror import SafetyLimits
from gym_hil.integrations.lerobot.real_arm.prompt import Prompt
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.intervention.human import Human
from gym_hil.intervention.named import OPERATORS
from gym_hil.stacks.build import build_env, operator_of
from gym_hil.stacks.config import EnvConfig

READ_THE_TERMINAL = ("terminal", "spacemouse", LEADER)
"""Operators whose devices read what is typed into the terminal."""


@dataclass(frozen=True, kw_only=True)
class RealArm:
    """An arm outside the simulation, from which environments are built like those of the simulation.

    Attributes:
        connect: returns how the arm is reached.
        limits: what it never exceeds.
        scene: host and port of the program that measures where the objects are; None if none does.
        description: what the person shows, in words; by default the task's.
        lead: returns a person with a leader arm, for the operator ``"leader"``; None without a leader.
        clock: keeps the control rate.
    """

    connect: Callable[[], ConnectedArm]
    limits: SafetyLimits = field(default_factory=SafetyLimits)
    scene: str | None = None
    description: str = ""
    lead: Callable[[], Human] | None = None
    clock: Clock = SYSTEM_CLOCK

    def build(self, config: EnvConfig) -> gym.Env:
        """Return the environment of a configuration with all layers.

        The person agrees by Enter or by their device before each episode. A simulated human drives only where a program
        measures the objects' positions; the person agrees once, and the program puts the objects back.

        Args:
            config: the configuration, whose robot must be an SO-101.

        Raises:
            InvalidArgumentError: the robot is another one, or the operator needs to know where the objects are.
        """
        name = config.robot if isinstance(config.robot, str) else config.robot.name
        if name != "so101":
            raise InvalidArgumentError(
                f"robot={name!r} is not that of the arm; use an id of so101, such as SO101PickCube-v1"
            )
        scripted = isinstance(config.operator, str) and config.operator in OPERATORS
        if scripted and self.scene is None:
            raise InvalidArgumentError(
                f"operator={config.operator!r} needs to know where the objects are; on an arm outside the simulation "
                "people and policies act, or a program measures the objects (--robot-scene)"
            )
        person = self.lead() if self.lead is not None and config.operator == LEADER else operator_of(config)
        operator = attended(person)
        scene = None if self.scene is None else MeasuredScene(self.scene)
        simulated = operator is not None and (operator.simulated or operator.device is None)
        prompt = Prompt(typed=config.operator not in READ_THE_TERMINAL, clock=self.clock)
        put_back = _Unattended(prompt, scene) if simulated and scene is not None else prompt

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


class _Unattended:
    """Lets the program that measures the objects put them back, after the person has agreed once."""

    def __init__(self, prompt: Prompt, scene: MeasuredScene) -> None:
        self._prompt, self._scene, self._agreed = prompt, scene, False

    def __call__(self, text: str) -> None:
        if not self._agreed:
            self._prompt(
                "Keep clear: a simulated human drives the arm, and nobody asks again before it moves."
            )
            self._agreed = True
        if not self._scene.put_back():
            self._prompt(text)
