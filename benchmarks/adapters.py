"""How each contender's environment is made. Runs in the contender's interpreter: imports stay inside."""

from __future__ import annotations

EPISODE_STEPS = 100
SIZE = 128
CONTROL_DT = 0.1


def fetch_pick_and_place(n_substeps=None):
    import gymnasium
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    env = gymnasium.make("FetchPickAndPlace-v4", max_episode_steps=EPISODE_STEPS)
    if n_substeps is not None:
        env.unwrapped.n_substeps = n_substeps  # the constructor fixes it at 20
    return env


def so101_pick_lift(control_mode, cameras=False, native=False):
    import gymnasium
    import so101_nexus.mujoco  # noqa: F401  registers the ids
    from so101_nexus import OverheadCamera, PhysicsConfig, PickConfig, WristCamera

    views = WristCamera(SIZE, SIZE), OverheadCamera(SIZE, SIZE)
    config = PickConfig(
        # The integrator is the native preset's; PhysicsConfig alone would change it with the rate.
        physics=None if native else PhysicsConfig(control_period_s=CONTROL_DT, integrator="implicitfast"),
        obs_mode="visual" if cameras else "state",
        observations=[*PickConfig().observations, *views] if cameras else None,
    )
    return gymnasium.make(
        "MuJoCoPickLift-v1", config=config, control_mode=control_mode, max_episode_steps=EPISODE_STEPS
    )


def robosuite_lift(cameras=False, control_freq=10):
    import numpy as np
    import robosuite

    env = robosuite.make(
        "Lift",
        robots="Panda",
        controller_configs=robosuite.load_composite_controller_config(controller="BASIC", robot="Panda"),
        control_freq=control_freq,
        horizon=EPISODE_STEPS,
        has_renderer=False,
        has_offscreen_renderer=cameras,
        use_camera_obs=cameras,
        camera_names=["agentview", "robot0_eye_in_hand"],
        camera_heights=SIZE,
        camera_widths=SIZE,
    )

    class Space:
        low, high = (bound.astype(np.float32) for bound in env.action_spec)
        shape, dtype = low.shape, low.dtype

    class Gymnasium:
        """robosuite's own signature, turned into Gymnasium's without touching the observations."""

        action_space = Space
        unwrapped = property(lambda self: self)
        model = property(lambda self: env.sim.model._model)
        data = property(lambda self: env.sim.data._data)

        def reset(self, seed=None):
            return env.reset(), {}

        def step(self, action):
            obs, reward, done, info = env.step(action)
            return obs, reward, False, done, info

    return Gymnasium()
