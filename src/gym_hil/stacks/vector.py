"""Vector environments: `gym.make_vec(id, num_envs=..., vectorization_mode="vector_entry_point")`.

Threads step the environments: while MuJoCo computes for one of them, Python code runs for another. The members are
ordinary environments, so that results equal those of single environments bit for bit. They share one compiled model and
one OpenGL context; images are rendered by the calling thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from gym_hil.core import schema
from gym_hil.core.arguments import require_mapping
from gym_hil.core.errors import EpisodeOrderError, InvalidActionError, InvalidArgumentError, require_one_of
from gym_hil.envs.manipulation import ManipulationEnv, Observation
from gym_hil.intervention.operator import Operator
from gym_hil.robots import Robot
from gym_hil.simulation.rendering import Image
from gym_hil.simulation.simulation import Simulation
from gym_hil.stacks.build import build_env
from gym_hil.stacks.config import EnvConfig


class _Member(ManipulationEnv):
    """An environment that shares the model and the renderers of the first member, and whose images the vector
    renders.
    """

    def __init__(self, *args: Any, first: list[_Member], **kwargs: Any) -> None:
        self._first = first[0] if first else self
        super().__init__(*args, **kwargs)
        first[:] = [self._first]
        self.cameras.share_renderers(self._first.cameras)
        self.observation_space = self._first.observation_space
        self.action_space = self._first.action_space

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        model = None if self._first is self else self._first.simulation.shared_model
        return Simulation(
            robot,
            self.task.scene,
            control_dt=control_dt,
            physics_dt=physics_dt,
            control=self.action_term.control,
            model=model,
        )

    def draw(self) -> dict[str, Image]:
        return {}

    def complete(self, observation: Observation) -> Observation:
        """Add images to `observation`."""
        if not self.image_obs:
            return observation
        return {**observation, schema.PIXELS: super().draw()}


class ThreadedVectorEnv(VectorEnv[Any, Any, Any]):
    """Environments that are stepped by threads.

    Seeds, options, infos and `autoreset_mode` are those of Gymnasium's `SyncVectorEnv`. Copies, pickled copies and
    forked processes have their own threads.

    Args:
        make_member: creates one environment; its argument ``raw_env`` creates the innermost one.
        num_envs: number of environments.
        autoreset_mode: Gymnasium's ``NextStep``, ``SameStep`` or ``Disabled``.
        num_threads: number of threads; None for the number of cores.

    Attributes:
        envs: the environments.
        autoreset_mode: when an environment begins its next episode.

    Raises:
        InvalidArgumentError: an argument is invalid.
    """

    _pool: ThreadPoolExecutor | None = None

    def __init__(
        self,
        make_member: Callable[..., gym.Env],
        num_envs: int,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        num_threads: int | None = None,
    ) -> None:
        num_envs = _count("num_envs", num_envs)
        if not isinstance(autoreset_mode, AutoresetMode):
            require_one_of("autoreset_mode", autoreset_mode, [mode.value for mode in AutoresetMode])
        threads = cores() if num_threads is None else _count("num_threads", num_threads)
        raw_env = partial(_Member, first=[])
        self.envs: list[gym.Env] = [make_member(raw_env=raw_env) for _ in range(num_envs)]
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.num_envs = num_envs
        first = self.envs[0]
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = first.render_mode
        self.single_action_space = first.action_space
        self.single_observation_space = first.observation_space
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._raw: list[_Member] = [env.unwrapped for env in self.envs]  # type: ignore[misc]
        self._env_obs: list[Any] = [None] * num_envs
        self._rewards = np.zeros(num_envs)
        self._terminations, self._truncations = np.zeros(num_envs, bool), np.zeros(num_envs, bool)
        self._ended = np.zeros(num_envs, bool)
        self._helpers = min(threads, num_envs) - 1
        self._pool_process = 0

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the threads, which a copy starts again."""
        return {**self.__dict__, "_pool": None}

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every environment, or in those of ``options["reset_mask"]``.

        Args:
            seed: environment ``i`` gets the seed ``seed + i``, or ``seed[i]`` of a list.
            options: options of the environments, and ``"reset_mask"`` (num_envs, bool).

        Returns:
            Batched observations and infos.
        """
        self._require_open("reset")
        seeds = self._seeds(seed)
        options = dict(require_mapping("options", options or {}, "{'reset_mask': terminations}"))
        mask = self._mask(options.pop("reset_mask", None))
        numbers = np.flatnonzero(mask).tolist()
        infos: list[dict[str, Any]] = [{} for _ in self.envs]

        def reset(i: int) -> None:
            self._env_obs[i], infos[i] = self.envs[i].reset(seed=seeds[i], options=options)

        self._on_threads(reset, numbers)
        self._draw(numbers)
        for ended in (self._terminations, self._truncations, self._ended):
            ended[mask] = False
        return self._batch_observations(), self._batch_infos(infos)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Execute an action in every environment for one control period.

        Args:
            actions: one action per environment (num_envs, actions).

        Returns:
            Batched observations, rewards, terminations, truncations and infos.

        Raises:
            InvalidActionError: the actions have the wrong shape, or a value that is not finite. No
                environment has moved then.
            EpisodeOrderError: the vector is closed, or an environment has ended and `autoreset_mode` is
                ``Disabled``.
        """
        self._require_open("step")
        actions = self._check_actions(actions)
        due = self._ended.copy()
        if due.any() and self.autoreset_mode is AutoresetMode.DISABLED:
            raise EpisodeOrderError(
                f"environments {np.flatnonzero(due).tolist()} have ended; reset them: "
                "reset(options={'reset_mask': terminations | truncations})"
            )
        next_step = self.autoreset_mode is AutoresetMode.NEXT_STEP
        infos: list[dict[str, Any]] = [{} for _ in self.envs]

        def advance(i: int) -> None:
            if next_step and due[i]:
                self._env_obs[i], infos[i] = self.envs[i].reset()
                self._rewards[i], self._terminations[i], self._truncations[i] = 0.0, False, False
                return
            result = self.envs[i].step(actions[i])
            self._env_obs[i], self._rewards[i], self._terminations[i], self._truncations[i], infos[i] = result

        self._on_threads(advance, range(self.num_envs))
        self._draw(range(self.num_envs))
        self._ended = self._terminations | self._truncations
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            for i in np.flatnonzero(self._ended).tolist():
                last = {"final_obs": self._env_obs[i], "final_info": infos[i]}
                self._env_obs[i], info = self.envs[i].reset()
                self._draw([i])
                infos[i] = {**last, **info}
        return (
            self._batch_observations(),
            self._rewards.copy(),
            self._terminations.copy(),
            self._truncations.copy(),
            self._batch_infos(infos),
        )

    def render(self) -> tuple[Any, ...]:
        """Return the image of every environment (height, width, 3, uint8), or None without a render mode."""
        self._require_open("render")
        return tuple(env.render() for env in self.envs)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the result of the method `name`, or the attribute `name`, of every environment."""
        values = [env.get_wrapper_attr(name) for env in self.envs]
        return tuple(value(*args, **kwargs) if callable(value) else value for value in values)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return the attribute `name` of every environment."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set the attribute `name` of every environment.

        Args:
            name: name of the attribute.
            values: one value per environment as a list or tuple, or one value for all.

        Raises:
            InvalidArgumentError: the number of values is wrong.
        """
        if not isinstance(values, list | tuple):
            values = [values] * self.num_envs
        if len(values) != self.num_envs:
            raise InvalidArgumentError(f"values has {len(values)} entries instead of {self.num_envs}")
        for env, value in zip(self.envs, values, strict=True):
            env.set_wrapper_attr(name, value)

    @property  # type: ignore[misc]
    def np_random(self) -> Any:
        """The random number generators of the environments."""
        return self.get_attr("np_random")

    @property
    def np_random_seed(self) -> Any:
        """The seeds of the environments."""
        return self.get_attr("np_random_seed")

    def close_extras(self, **kwargs: Any) -> None:
        """Close the environments and stop the threads."""
        if self._pool is not None and self._pool_process == os.getpid():
            self._pool.shutdown()
        self._pool = None
        for env in getattr(self, "envs", ()):
            env.close()

    def _require_open(self, verb: str) -> None:
        if self.closed:
            raise EpisodeOrderError(f"{verb} was called after close; make a new vector")

    def _start(self, work: Callable[[], None]) -> list[Future[None]]:
        """Let every thread of the pool execute `work`. Threads do not survive a fork, so that each process
        has its own pool.
        """
        if not self._helpers:
            return []
        if self._pool is None or self._pool_process != os.getpid():
            self._pool, self._pool_process = ThreadPoolExecutor(self._helpers, "gym_hil"), os.getpid()
        return [self._pool.submit(work) for _ in range(self._helpers)]

    def _on_threads(self, job: Callable[[int], None], numbers: Iterable[int]) -> None:
        remaining = iter(numbers)  # its next() is atomic, so each number goes to one thread

        def work() -> None:
            for number in remaining:
                job(number)

        helpers = self._start(work)
        try:
            work()
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()

    def _draw(self, numbers: Iterable[int]) -> None:
        for i in numbers:
            self._env_obs[i] = self._raw[i].complete(self._env_obs[i])

    def _batch_observations(self) -> Any:
        space = self.single_observation_space
        fresh: Any = create_empty_array(space, self.num_envs, np.empty)
        return concatenate(space, self._env_obs, fresh)

    def _batch_infos(self, infos: list[dict[str, Any]]) -> dict[str, Any]:
        first = infos[0]
        if all(info.keys() == first.keys() for info in infos) and not _holds_dicts(first):
            batched = {key: _column([info[key] for info in infos]) for key in first}
            return batched | {f"_{key}": np.ones(self.num_envs, np.bool_) for key in first}
        batched = {}
        for i, info in enumerate(infos):
            batched = self._add_info(batched, info, i)
        return batched

    def _check_actions(self, actions: Any) -> np.ndarray:
        try:
            actions = np.asarray(actions)
            finite = np.isfinite(actions).reshape(len(actions), -1).all(axis=1)
        except (TypeError, ValueError):
            raise InvalidActionError(f"actions {actions!r} do not consist of numbers") from None
        if actions.shape != self.action_space.shape:
            raise InvalidActionError(
                f"actions have shape {actions.shape} instead of {self.action_space.shape}"
            )
        if not finite.all():
            i = int(np.argmin(finite))
            raise InvalidActionError(
                f"action {actions[i].tolist()} of environment {i} has values that are not finite"
            )
        return actions

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            return [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise InvalidArgumentError(f"seed has {len(seed)} entries instead of {self.num_envs}")
        return list(seed)

    def _mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, bool)
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise InvalidArgumentError(
                f"reset_mask={mask.tolist()!r} must be {self.num_envs} booleans, at least one of them True"
            )
        return mask


def _holds_dicts(info: dict[str, Any]) -> bool:
    return "final_obs" in info or any(isinstance(value, dict) for value in info.values())


def _column(values: list[Any]) -> np.ndarray:
    """Return one info of all environments, with the type of Gymnasium's `_add_info`."""
    first = values[0]
    if type(first) in (int, float, bool) or isinstance(first, np.number):
        return np.array(values, dtype=type(first))
    if isinstance(first, np.ndarray):
        return np.stack(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def make_vector(num_envs: int, **kwargs: Any) -> ThreadedVectorEnv:
    """Create a vector environment. This is the entry point of all ids without a person.

    Args:
        num_envs: number of environments.
        kwargs: fields of `EnvConfig`, and `autoreset_mode` and `num_threads` of `ThreadedVectorEnv`.
    """
    names = ("autoreset_mode", "num_threads")
    vector_arguments = {key: kwargs.pop(key) for key in names if key in kwargs}
    config = EnvConfig.of(None, **kwargs)
    if config.render_mode == "human":
        raise InvalidArgumentError(
            "render_mode='human' is for single environments; a vector supports 'rgb_array' and None"
        )
    if config.auto_reset:
        raise InvalidArgumentError("auto_reset=True is for single environments; use autoreset_mode instead")
    if config.reward is not None:
        raise InvalidArgumentError(f"reward={config.reward!r} is for single environments")
    if isinstance(config.operator, Operator) and num_envs > 1:
        raise InvalidArgumentError(
            f"operator={config.operator.name!r} is one operator for {num_envs} environments; use its name, "
            "such as operator='simulated', to create one per environment"
        )
    return ThreadedVectorEnv(partial(build_env, config), num_envs, **vector_arguments)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidArgumentError(f"{name}={value!r} must be a whole number, at least 1")
    return int(value)
