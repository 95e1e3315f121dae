"""A scripted expert picks up cubes, on video: ``python -m gym_hil.examples.expert_video [PATH]``."""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import imageio
import numpy as np

import gym_hil  # noqa: F401
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.wrappers.hil_wrappers import DEFAULT_EE_STEP_SIZE

EPISODES = 5


def main(path: str) -> int:
    """Write the video to `path`; return 0 when every episode succeeded."""
    env = gym.make("gym_hil/PandaPickCube-v1", render_mode="rgb_array")
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    scale = np.array([DEFAULT_EE_STEP_SIZE[axis] for axis in "xyz"])
    successes = 0
    with imageio.get_writer(path, fps=env.metadata["render_fps"]) as video:
        for episode in range(EPISODES):
            env.reset(seed=episode)
            terminated = truncated = False
            steps = 0
            info: dict[str, Any] = {}
            while not (terminated or truncated):
                video.append_data(np.asarray(env.render()))
                goal, opening = raw.expert_intent()
                delta = np.clip((goal - raw.simulation.target_pos_w) / scale, -1.0, 1.0)
                _, _, terminated, truncated, info = env.step(np.array([*delta, 2.0 * opening], np.float32))
                steps += 1
            successes += info["is_success"]
            print(f"episode {episode}: {'success' if info['is_success'] else 'failure'} after {steps} steps")
    env.close()
    print(f"{successes} of {EPISODES} succeeded; video: {path}")
    return 0 if successes == EPISODES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "pick_cube.mp4"))
