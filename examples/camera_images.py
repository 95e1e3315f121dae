"""Observe camera images and save those of the first step: ``python camera_images.py``. Needs OpenGL."""

import gymnasium as gym
import imageio.v3 as iio

import gym_hil

spec = gym_hil.GymRenderingSpec(height=256, width=256)
env = gym.make("gym_hil/PandaArrangeBoxes-v1", image_obs=True, render_spec=spec)
observation, _ = env.reset(seed=0)
for camera, image in observation["pixels"].items():
    iio.imwrite(f"{camera}.png", image)
    print(f"{camera}.png: {image.shape}, mean brightness {image.mean():.0f}")
env.close()
