"""Observes training on an arm from outside the package: ends of episodes, motions, failures, requests to a person."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from subprocess import Popen
from typing import Any

from gym_hil.integrations.lerobot.real_arm import stack
from gym_hil.integrations.lerobot.real_arm.connection import SILENT_SERVO
from gym_hil.integrations.lerobot.real_arm.prompt import Prompt

STEP, START = "episodes", "to_start"
"""Kinds of motions: the steps of episodes, and the motion to the start of an episode."""
COOLING_S = 45.0
"""Time for which the person lets the servos cool down before they switch the arm off and on (s)."""


class Observer:
    """Counts what happens in an environment.

    Attributes:
        finished: number of training episodes that have ended and have at least one complete step.
        intervals: start and end of every motion, by kind (s, of the system's monotonic clock).
        failures: number of steps that failed, by the error.
        asked: number of times that the person was asked to check the arm, by the error.
        power_cycles: number of times that the person switched the arm off and on.
    """

    def __init__(self) -> None:
        self.finished = 0
        self.intervals: dict[str, list[tuple[float, float]]] = {STEP: [], START: []}
        self.failures: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.power_cycles = 0
        self._steps = 0
        self._evaluating = False

    def attach(self, env: Any) -> None:
        """Observe an environment from now on."""
        reset, step, twin = env.reset, env.step, env.get_wrapper_attr("twin")

        def observed_reset(**options: Any) -> Any:
            self.note_end()
            self._evaluating = env.get_wrapper_attr("operator") is None
            return reset(**options)

        def observed_step(action: Any) -> Any:
            result = step(action)
            failure = result[-1].get("device_error")
            if failure is not None:
                self.failures[_without_numbers(failure)] += 1
            elif not self._evaluating:
                self._steps += 1
            return result

        env.reset, env.step = observed_reset, observed_step
        twin.step = self._timed(STEP, twin.step)
        twin.move_to = self._timed(START, twin.move_to)

    def note_end(self) -> None:
        """Note that no episode is in progress. If one was, it has ended."""
        self.finished += bool(self._steps)
        self._steps = 0

    def attend(self, arm: Popen[str]) -> None:
        """Let a person do what the program asks for: they check the arm and, if the program says so, they let it cool
        down and switch it off and on. Standard input must confirm every request.

        Args:
            arm: the process of the virtual arm.
        """
        observer = self

        class Person(Prompt):
            def __call__(self, text: str) -> None:
                if "Check the arm" in text:
                    observer.asked[_without_numbers(text.split(". Check the arm")[0])] += 1
                    if SILENT_SERVO in text:
                        observer.power_cycles += 1
                        time.sleep(COOLING_S)
                        assert arm.stdin is not None
                        arm.stdin.write("power\n")
                        arm.stdin.flush()
                    time.sleep(1.0)
                super().__call__(text)

        stack.Prompt = Person  # type: ignore[misc]

    def facts(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "finished_episodes": self.finished,
            "failed_steps": dict(self.failures),
            "checks": dict(self.asked),
            "power_cycles": self.power_cycles,
        }

    def _timed(self, kind: str, function: Callable[..., None]) -> Callable[..., None]:
        def timed(*arguments: Any) -> None:
            start = time.monotonic()
            try:
                function(*arguments)
            finally:
                self.intervals[kind].append((start, time.monotonic()))

        return timed


def _without_numbers(text: str) -> str:
    """Return a text with its numbers replaced by N, so that similar errors are counted together."""
    return "".join("N" if each.isdigit() else each for each in text)[:160]
