"""Fit the limits of a simulated human to recorded sessions: try limits, let the human drive from the same starts, and
keep those whose behaviour differs least.
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
from gym_hil.intervention.simulated_person import SimulatedPerson
from gym_hil.stacks.build import make_env

FITTED: Mapping[str, tuple[float, float]] = {
    "reaction_s": (0.05, 2.0),
    "sight_delay_s": (0.05, 0.5),
    "acuity": (0.1, 3.0),
    "sight_error_share": (0.005, 0.2),
    "pause_s": (0.05, 1.5),
    "press_s": (0.03, 0.4),
    "press_spread": (0.01, 0.6),
    "wrong_key": (0.001, 0.3),
    "bandwidth_hz": (0.5, 5.0),
    "approach_s": (0.1, 2.0),
    "noise": (0.01, 0.5),
}
"""What is fitted, and between which values, in the units of `Limits`."""
KEYS_ONLY = ("press_s", "press_spread")
LEVERS_ONLY = ("bandwidth_hz", "approach_s", "noise")
PATIENCE = 3
"""How many times as long as the longest recorded episode a simulated one may last."""
DRIVEN = 0.5
"""Share of steps in which a person acts in an episode that counts as one that the person drove."""


@dataclass(frozen=True)
class Fit:
    """What was found.

    Attributes:
        limits: the limits that fit best.
        fitted: names of the fields of `limits` that were fitted.
        recorded: values of every measure in the episodes that were held out.
        simulated: the same of the simulated human from the same starts.
        trained: Kolmogorov-Smirnov distances in the episodes that were fitted to.
        held_out: the same in those that were held out.
        tried: number of limits that were tried.
    """

    limits: Limits
    fitted: tuple[str, ...]
    recorded: dict[str, Array]
    simulated: dict[str, Array]
    trained: dict[str, float]
    held_out: dict[str, float]
    tried: int


def held_device(episode: Episode) -> HeldDevice:
    """Return the device that a simulated human has to hold in order to do what was recorded.

    Raises:
        InvalidDatasetError: no device was recorded.
    """
    if not episode.device_log:
        raise InvalidDatasetError("the episodes were recorded without a device, so there is nobody to fit")
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
) -> Fit:
    """Fit a simulated human to episodes that a person drove.

    Args:
        env_id: the environment that was recorded.
        episodes: at least four; every second one is held out.
        candidates: how many limits are tried, the presets among them.
        seed: of the search.
        report: told after each of them how many were tried, and the least mean distance.

    Raises:
        InvalidDatasetError: too few episodes were driven by a person with a device.
        InvalidArgumentError: there are fewer candidates than presets.
    """
    driven = [one for one in episodes if one.frames["complementary_info.is_intervention"].mean() >= DRIVEN]
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
    wanted = driver.behaviour_of(train)
    rng = np.random.default_rng(seed)
    best, least = presets[0], math.inf
    trained: dict[str, float] = {}
    for number in range(candidates):
        limits = (
            presets[number] if number < len(presets) else _changed(best, fitted, rng, number / candidates)
        )
        found = distances(wanted, driver.drive(limits, train))
        mean = float(np.mean(list(found.values())))
        if mean < least:
            best, least, trained = limits, mean, found
        report(number + 1, least)
    recorded, simulated = driver.behaviour_of(test), driver.drive(best, test)
    return Fit(best, fitted, recorded, simulated, trained, distances(recorded, simulated), candidates)


def _changed(limits: Limits, names: Sequence[str], rng: np.random.Generator, progress: float) -> Limits:
    """Return limits near others: farther away while little of the search is over."""
    spread = 0.6 * (1.0 - progress) + 0.1
    changes: dict[str, Any] = {}
    for name in names:
        low, high = FITTED[name]
        start = max(low, getattr(limits, name))
        if rng.random() < 0.5:
            changes[name] = float(np.clip(start * math.exp(spread * rng.normal()), low, high))
    return replace(limits, **changes)


class _Driver:
    """Lets simulated humans drive from the starts of recorded episodes.

    Args:
        env_id: the environment that was recorded.
        held: what they hold.
        most_steps: for how long they may try.
    """

    def __init__(self, env_id: str, held: HeldDevice, most_steps: int) -> None:
        self._env_id, self._held, self._most_steps = env_id, held, most_steps
        env = make_replay_env(env_id)
        self._layout = EnvironmentInterface(env).layout
        env.close()

    def behaviour_of(self, episodes: Sequence[Episode]) -> dict[str, Array]:
        """Return the measures of episodes."""
        return behaviour(episodes, self._layout)

    def drive(self, limits: Limits, episodes: Sequence[Episode]) -> dict[str, Array]:
        """Return the measures of a simulated human who drives alone from the starts of `episodes`."""
        person = SimulatedPerson(limits.driving(), held=self._held)
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
        return self.behaviour_of(driven)
