"""Fits the limits of a simulated human to recorded episodes of a person.

Simulated humans with various limits drive from the recorded start states. The limits with the most similar behaviour
are returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import make_replay_env
from gym_hil.devices.device_log import parse_device_log
from gym_hil.experiments.human_behaviour import Array, behaviour, distances
from gym_hil.intervention.held_devices import GAMEPAD_PAGE, KEYBOARD, LEADER, SPACEMOUSE, HeldDevice
from gym_hil.intervention.limits import PRESETS, SCRIPT, Limits
from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice
from gym_hil.stacks.build import make_env

FITTED: Mapping[str, tuple[float, float]] = {
    "reaction_s": (0.05, 2.0),
    "perception_delay_s": (0.05, 0.5),
    "acuity": (0.1, 3.0),
    "perception_error_ratio": (0.005, 0.2),
    "pause_s": (0.05, 1.5),
    "press_s": (0.03, 0.4),
    "press_spread": (0.01, 0.6),
    "wrong_key": (0.001, 0.3),
    "bandwidth_hz": (0.5, 5.0),
    "approach_s": (0.1, 2.0),
    "noise": (0.01, 0.5),
}
"""Fields of `Limits` that are fitted, and their bounds."""
KEYS_ONLY = ("press_s", "press_spread")
"""Fields that are fitted only for devices with keys."""
LEVERS_ONLY = ("bandwidth_hz", "approach_s", "noise")
"""Fields that are fitted only for devices with continuous levels, such as sticks."""
PATIENCE = 3
"""Longest duration of a simulated episode, relative to the longest recorded one."""
DRIVEN = 0.5
"""Least share of steps in which a person acts in an episode that the person drove."""


@dataclass(frozen=True)
class HumanFit:
    """The result of a fit.

    Attributes:
        limits: the limits that fit best.
        fitted: names of the fields of `limits` that were fitted.
        recorded: values of every measure in the held-out episodes.
        simulated: values of every measure of the simulated human from the same start states.
        trained: Kolmogorov-Smirnov distances in the episodes used for the fit.
        held_out: Kolmogorov-Smirnov distances in the held-out episodes.
        tried: number of sets of limits that were tried.
    """

    limits: Limits
    fitted: tuple[str, ...]
    recorded: dict[str, Array]
    simulated: dict[str, Array]
    trained: dict[str, float]
    held_out: dict[str, float]
    tried: int


def held_device(episode: Episode) -> HeldDevice:
    """Return the simulated counterpart of the recorded device.

    Raises:
        InvalidDatasetError: no device was recorded.
    """
    if not episode.device_log:
        raise InvalidDatasetError("the episodes were recorded without a device")
    log = parse_device_log(episode.device_log, Path("device_log.jsonl"))
    name = log.device.lower()
    for word, held in (("spacemouse", SPACEMOUSE), ("lerobot", LEADER), ("gamepad", GAMEPAD_PAGE)):
        if word in name:
            return held
    levels = {abs(level) for timed in log.readings for level in timed.reading.motion}
    whole = sum(level in (0.0, 1.0) for level in levels)
    return GAMEPAD_PAGE if name == "browser" and len(levels) > 20 and whole <= 1 else KEYBOARD


def fit(
    env_id: str,
    episodes: Sequence[Episode],
    *,
    candidates: int = 40,
    seed: int = 0,
    report: Callable[[int, float], None] = lambda tried, best: None,
) -> HumanFit:
    """Fit a simulated human to episodes that a person drove.

    Args:
        env_id: the recorded environment.
        episodes: at least four; every second one is held out.
        candidates: number of sets of limits to try, including the presets.
        seed: seed of the search.
        report: called after each candidate with the number of candidates and the least mean distance so far.

    Raises:
        InvalidDatasetError: too few episodes were driven by a person with a device.
        InvalidArgumentError: there are fewer candidates than presets.
    """
    driven = [
        episode
        for episode in episodes
        if episode.frames["complementary_info.is_intervention"].mean() >= DRIVEN
    ]
    if len(driven) < 4:
        raise InvalidDatasetError(
            f"{len(driven)} of {len(episodes)} episodes were driven by a person; at least 4 are needed"
        )
    presets = [limits for name, limits in PRESETS.items() if not name.startswith(SCRIPT)]
    if candidates < len(presets):
        raise InvalidArgumentError(f"candidates={candidates} must be at least {len(presets)}")
    held = held_device(driven[0])
    left_out = KEYS_ONLY if held.resolution is not None else LEVERS_ONLY
    fitted = tuple(name for name in FITTED if name not in left_out)
    train, test = driven[::2], driven[1::2]
    driver = _Driver(env_id, held, PATIENCE * max(episode.length for episode in driven))
    target = driver.measure_episodes(train)
    rng = np.random.default_rng(seed)
    best, least = presets[0], math.inf
    trained: dict[str, float] = {}
    for number in range(candidates):
        limits = (
            presets[number] if number < len(presets) else _changed(best, fitted, rng, number / candidates)
        )
        by_measure = distances(target, driver.drive(limits, train))
        mean = float(np.mean(list(by_measure.values())))
        if mean < least:
            best, least, trained = limits, mean, by_measure
        report(number + 1, least)
    recorded, simulated = driver.measure_episodes(test), driver.drive(best, test)
    return HumanFit(best, fitted, recorded, simulated, trained, distances(recorded, simulated), candidates)


def _changed(limits: Limits, names: Sequence[str], rng: np.random.Generator, progress: float) -> Limits:
    """Return limits near `limits`; the largest change decreases in the course of the search."""
    spread = 0.6 * (1.0 - progress) + 0.1
    changes: dict[str, Any] = {}
    for name in names:
        low, high = FITTED[name]
        start = max(low, getattr(limits, name))
        if rng.random() < 0.5:
            changes[name] = float(np.clip(start * math.exp(spread * rng.normal()), low, high))
    return replace(limits, **changes)


class _Driver:
    """Lets simulated humans drive from the start states of recorded episodes.

    Args:
        env_id: the recorded environment.
        held: the device of the simulated humans.
        most_steps: largest number of steps per episode.
    """

    def __init__(self, env_id: str, held: HeldDevice, most_steps: int) -> None:
        self._env_id, self._held, self._most_steps = env_id, held, most_steps
        env = make_replay_env(env_id)
        self._layout = EnvironmentInterface(env).layout
        env.close()

    def measure_episodes(self, episodes: Sequence[Episode]) -> dict[str, Array]:
        """Return the measures of episodes."""
        return behaviour(episodes, self._layout)

    def drive(self, limits: Limits, episodes: Sequence[Episode]) -> dict[str, Array]:
        """Return the measures of a simulated human who drives from the start states of `episodes`."""
        person = SimulatedHumanWithDevice(limits.driving(), held=self._held)
        env = make_env(self._env_id, operator=person, max_episode_steps=self._most_steps)
        recorder = EpisodeRecorder(env, {})
        idle = env.get_wrapper_attr("neutral_action")()
        driven = []
        for number, episode in enumerate(episodes):
            env.reset(seed=number, options={"state": episode.initial})
            ended = False
            while not ended:
                *_, terminated, truncated, _ = env.step(idle)
                ended = terminated or truncated
            driven.append(recorder.episode())
        env.close()
        return self.measure_episodes(driven)
