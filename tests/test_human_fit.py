"""`gym-hil humans`: measurements of recorded sessions, fitted parameters, and the output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.devices.device_log import parse_device_log
from gym_hil.devices.recorded import RecordedDevice
from gym_hil.experiments.human_behaviour import MEASURES, Movement, behaviour, distances, movements
from gym_hil.experiments.human_fit import fit, held_device
from gym_hil.intervention import Human
from gym_hil.intervention.held_devices import GAMEPAD_PAGE, KEYBOARD, LEADER, SPACEMOUSE, HeldDevice
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice
from gym_hil.stacks.build import make_env

STAY = np.array([0, 0, 0, 1], np.float32)
ENV_ID = "gym_hil/PandaPickCubeBase-v1"


def recorded(operator: Operator, seeds: range) -> list[Episode]:
    env = make_env(ENV_ID, operator=operator, max_episode_steps=300)
    recorder, episodes = EpisodeRecorder(env, {}), []
    for seed in seeds:
        env.reset(seed=seed)
        ended = False
        while not ended:
            *_, terminated, truncated, _ = env.step(STAY)
            ended = terminated or truncated
        episodes.append(recorder.episode(seed))
    env.close()
    return episodes


def sessions(preset: str, held: HeldDevice, seeds: range) -> list[Episode]:
    return recorded(SimulatedHumanWithDevice(PRESETS[preset].driving(), held=held), seeds)


@pytest.mark.parametrize("held", [KEYBOARD, GAMEPAD_PAGE, SPACEMOUSE, LEADER], ids=lambda held: held.name)
def test_a_simulated_session_is_recorded_as_a_person_s_and_its_log_drives_again(held):
    (episode,) = sessions("experienced", held, range(1, 2))
    log = parse_device_log(episode.device_log, Path("device_log.jsonl"))
    assert held_device(episode) is held
    (again,) = recorded(Human(RecordedDevice(log, period_s=0.1), held.engage), range(1, 2))
    for name in ("action", "human_action", "physics", "phase"):
        np.testing.assert_array_equal(again.frames[name], episode.frames[name])
    assert again.device_log.splitlines()[1:] == episode.device_log.splitlines()[1:]


def test_a_movement_is_a_sequence_of_steps_in_one_direction():
    levels = np.array([0, 1, 1, 0, -0.5, 0, 0.2, -0.2])
    assert movements(levels) == [
        Movement(1, 2, 2.0),
        Movement(4, 1, -0.5),
        Movement(6, 1, 0.2),
        Movement(7, 1, -0.2),
    ]
    assert movements(np.zeros(4)) == []


def test_every_behaviour_measure_is_computed_from_a_session():
    episodes = sessions("novice", KEYBOARD, range(2))
    found = behaviour(episodes, {"tcp_pos": slice(15, 18)})
    assert found.keys() == {measure.name for measure in MEASURES}
    assert all(len(values) for values in found.values())
    assert (found["hold"] > 0).all() and (found["speed"] < 1.0).all()


def test_distances_are_kolmogorov_smirnov_statistics():
    pytest.importorskip("scipy")
    first = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.0]), "c": np.array([]), "d": np.array([])}
    second = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([2.0]), "c": np.array([1.0]), "d": np.array([])}
    assert distances(first, second) == {"a": 0.0, "b": 1.0, "c": 1.0, "d": 0.0}


def test_too_few_sessions_are_refused():
    episodes = sessions("novice", KEYBOARD, range(1))
    with pytest.raises(InvalidDatasetError, match="at least 4"):
        fit(ENV_ID, episodes)


@pytest.mark.nightly
def test_the_preset_that_was_recorded_is_identified():
    pytest.importorskip("scipy")
    found = fit(ENV_ID, sessions("novice", KEYBOARD, range(10, 26)), candidates=4)
    assert found.limits == PRESETS["novice"]
    assert found.held_out["hold"] < 0.3 and found.held_out["pause"] < 0.4
    stranger = sessions("experienced", GAMEPAD_PAGE, range(10, 16))
    assert fit(ENV_ID, stranger, candidates=4).limits != PRESETS["novice"]


@pytest.mark.slow
def test_the_commands_fit_and_show_a_human(tmp_path):
    pytest.importorskip("scipy")
    pytest.importorskip("matplotlib")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "gym_hil", *arguments]
        environment = {**os.environ, "COLUMNS": "120"}
        return subprocess.run(
            command, check=True, cwd=tmp_path, capture_output=True, text=True, env=environment
        ).stdout

    run("record", "PandaPickCube-v1", "--operator", "simulated-gamepad", "--episodes", "4", "--root", "pad")
    assert len(EpisodeStore(tmp_path / "pad").numbers()) == 4
    said = run("humans", "fit", "pad", "--candidates", "4", "--json", "fit.json")
    assert "held out" in said and "bandwidth_hz" in said
    facts = json.loads((tmp_path / "fit.json").read_text())
    assert facts["held_out"].keys() == {measure.name for measure in MEASURES}
    run("humans", "show", "novice", "--episodes", "1", "--out", "novice.html")
    assert "novice, simulated-keyboard" in (tmp_path / "novice.html").read_text()
