"""Make the environments of the contenders. Imports are in the functions: each runs in its contender's interpreter."""

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


class Batch:
    """Vector environment with the interface that the worker needs. It resets by itself.

    `time` is the sum of the simulated times of all environments.
    """

    def __init__(self, envs, model):
        self.envs, self.model, self.num_envs, self.time = envs, model, envs.num_envs, 0.0
        self.action_space, self.unwrapped, self.data = envs.action_space, self, self

    def reset(self, seed=None):
        return self.envs.reset(seed=seed)

    def step(self, actions):
        observation, reward, _, _, info = self.envs.step(actions)
        self.time += self.num_envs * CONTROL_DT
        return observation, reward, False, False, info


def vector(num_envs, **kwargs):
    import gymnasium

    envs = gymnasium.make_vec(num_envs=num_envs, vectorization_mode="vector_entry_point", **kwargs)
    return Batch(envs, envs.envs[0].unwrapped.simulation.model)


class EngineAlone:
    """Repeat only the physics of an environment: `reset` records an episode, and `step` repeats its commands.

    The episodes are those of the environment itself in `worker.py`: they have the same start states and actions.
    """

    def __init__(self, env):
        self.env, self.action_space, self.unwrapped = env, env.action_space, self
        self.simulation = env.unwrapped.simulation
        self.model, self.data = self.simulation.model, self.simulation.data
        self.substeps = self.simulation._nstep

    def reset(self, seed=None):
        import numpy as np

        if seed is not None:
            self.random = np.random.default_rng(seed)
        data, simulation = self.data, self.simulation
        self.inputs = [part for part in (data.ctrl, data.act, data.mocap_pos, data.mocap_quat) if part.size]
        first_observation, self.commands = self.env.reset(seed=seed), []
        start, advance = simulation.save(), simulation.advance

        def record(ticks):
            self.commands.append([part.copy() for part in self.inputs])
            advance(ticks)

        simulation.advance = record
        space, ended = self.action_space, False
        while not ended:
            *_, terminated, truncated, _ = self.env.step(
                self.random.uniform(space.low, space.high).astype(space.dtype)
            )
            ended = terminated or truncated
        del simulation.advance  # restores the method of the class
        simulation.restore(start)
        self.number = 0
        return first_observation

    def step(self, action):
        import mujoco

        for part, command in zip(self.inputs, self.commands[self.number], strict=True):
            part[:] = command
        self.number += 1
        mujoco.mj_step(self.model, self.data, self.substeps)
        return None, 0.0, False, self.number == len(self.commands), {}


def engine_alone(**kwargs):
    import gymnasium

    return EngineAlone(gymnasium.make(**kwargs))


def so101_pick_lift(control_mode, cameras=False, native=False, num_envs=0):
    import gymnasium
    import so101_nexus.mujoco  # noqa: F401  registers the ids
    from so101_nexus import OverheadCamera, PhysicsConfig, PickConfig, WristCamera

    views = WristCamera(SIZE, SIZE), OverheadCamera(SIZE, SIZE)
    config = PickConfig(
        # Use the integrator of the native preset. PhysicsConfig would choose another one for this control rate.
        physics=None if native else PhysicsConfig(control_period_s=CONTROL_DT, integrator="implicitfast"),
        obs_mode="visual" if cameras else "state",
        observations=[*PickConfig().observations, *views] if cameras else None,
    )
    if num_envs:
        import so101_nexus.mjbatch  # noqa: F401

        envs = gymnasium.make_vec(
            "MJBatchPickLift-v1", num_envs, "vector_entry_point", config=config, control_mode=control_mode
        )
        return Batch(envs, envs.envs[0].unwrapped.model)
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
        """robosuite environment with the signatures of Gymnasium. Observations are not changed."""

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
