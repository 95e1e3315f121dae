"""One training run: demonstrations, then online learning while the operator watches, then evaluation."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from gym_hil.operators.base import Operator
from gym_hil.operators.expert import Expert
from gym_hil.operators.named import make_operator
from gym_hil.operators.simulated import PRESETS, SimulatedHuman
from gym_hil.training.agent import HilPolicy, HilReplayBuffer, HilSAC
from gym_hil.training.config import STEPS_PER_MINUTE, TrainConfig
from gym_hil.training.evaluation import Act, Evaluation, evaluate
from gym_hil.training.policy_env import EXECUTED, PolicyEnv, make_policy_env
from gym_hil.wrappers.human_cost import HUMAN_COST

CHECKPOINT = "policy.zip"
CONFIG = "config.json"
CURVE = "curve.csv"
RESULT = "result.json"
IDLE = np.array([0.0, 0.0, 0.0, 1.0], np.float32)


@dataclass(frozen=True)
class Point:
    """One row of the learning curve."""

    steps: int
    """Control steps so far, demonstrations included."""
    robot_minutes: float
    wall_s: float
    success_alone: float
    """Share of evaluation episodes that succeed without a human."""
    success_with_help: float
    """Share of training episodes since the last row that succeed."""
    intervention_rate: float
    """Share of training steps since the last row in which the human acted."""
    human_s: float
    """Seconds in which the human acted so far, demonstrations included."""


def actor(model: HilSAC) -> Act:
    """Return the deterministic policy of `model`."""

    def act(observation: Any) -> Any:
        return model.predict(observation, deterministic=True)[0]

    return act


def train(config: TrainConfig, out: Path, report: Callable[[Point], None] = lambda point: None) -> Evaluation:
    """Train, write checkpoint, configuration, curve and result into `out`, and return the last evaluation
    (100 episodes). `report` hears of every row of the curve.
    """
    out.mkdir(parents=True, exist_ok=True)
    config.save(out / CONFIG)
    torch.set_num_threads(1)
    start = time.perf_counter()
    env = make_policy_env(config.env_id, _watcher(config), seed=config.seed)
    model = HilSAC(
        HilPolicy,
        env,
        learning_rate=config.learning_rate,
        buffer_size=config.total_steps + 1000,
        replay_buffer_class=HilReplayBuffer,
        batch_size=config.batch_size,
        gamma=config.gamma,
        train_freq=1,
        gradient_steps=config.updates_per_step,
        learning_starts=0,
        ent_coef=f"auto_{config.entropy}",
        tau=config.tau,
        policy_kwargs={"net_arch": [config.width, config.width]},
        seed=config.seed,
        device="cpu",
    )
    assert isinstance(model.replay_buffer, HilReplayBuffer)
    demonstrated = demonstrate(config, model.replay_buffer)
    curve = _Curve(config, out, start, demonstrated, report)
    model.learn(max(1, config.total_steps - demonstrated), callback=curve)
    model.save(out / CHECKPOINT)
    final = evaluate(actor(model), curve.env, 100)
    result = {"steps": config.total_steps, "wall_s": time.perf_counter() - start, **asdict(final)}
    (out / RESULT).write_text(json.dumps(result, indent=2) + "\n")
    return final


def demonstrate(config: TrainConfig, buffer: HilReplayBuffer) -> int:
    """Fill `buffer` with demonstrations of the operator, and return how many steps they took."""
    env = make_policy_env(config.env_id, _demonstrator(config))
    steps = 0
    for number in range(config.demos):
        observation, _ = env.reset(seed=10_000 * (config.seed + 1) + number)
        done = False
        while not done:
            following, reward, terminated, truncated, info = env.step(IDLE)
            steps += 1
            done = terminated or truncated
            facts = {**info, "TimeLimit.truncated": truncated and not terminated}
            buffer.add(
                observation, following, info[EXECUTED][None], np.array([reward]), np.array([done]), [facts]
            )
            observation = following
    env.close()
    return steps


def _watcher(config: TrainConfig) -> Operator | None:
    if config.operator == "none":
        return None
    return make_operator(config.operator, preset=config.preset)


def _demonstrator(config: TrainConfig) -> Operator:
    """A simulated human who never lets go; a person drives as always."""
    if config.operator == "none":
        return Expert()
    if config.operator == "simulated":
        return SimulatedHuman(replace(PRESETS[config.preset], patience=1, disagreement=0.0, max_hold=10**6))
    return make_operator(config.operator)


class _Curve(BaseCallback):
    """Writes a row at every evaluation."""

    def __init__(
        self,
        config: TrainConfig,
        out: Path,
        start: float,
        demonstrated: int,
        report: Callable[[Point], None],
    ) -> None:
        super().__init__()
        self.env: PolicyEnv = make_policy_env(config.env_id, None)
        self._config, self._path, self._start = config, out / CURVE, start
        self._demonstrated, self._report = demonstrated, report
        self._human_steps = demonstrated
        self._acted: list[bool] = []
        self._succeeded: list[bool] = []
        self._next = 0

    def _on_training_start(self) -> None:
        with self._path.open("w", newline="") as file:
            csv.writer(file).writerow(Point.__dataclass_fields__)
        self._write()

    def _on_step(self) -> bool:
        info = self.locals["infos"][0]
        self._acted.append(info["is_intervention"])
        self._human_steps += info["is_intervention"]
        if HUMAN_COST in info:
            self._succeeded.append(info[HUMAN_COST]["success"])
        if self._demonstrated + self.num_timesteps >= self._next:
            self._write()
        return True

    def _write(self) -> None:
        config, model = self._config, self.model
        assert isinstance(model, HilSAC)
        found = evaluate(actor(model), self.env, config.eval_episodes)
        steps = self._demonstrated + self.num_timesteps
        point = Point(
            steps=steps,
            robot_minutes=steps / STEPS_PER_MINUTE,
            wall_s=time.perf_counter() - self._start,
            success_alone=found.successes / found.episodes,
            success_with_help=float(np.mean(self._succeeded)) if self._succeeded else 0.0,
            intervention_rate=float(np.mean(self._acted)) if self._acted else 0.0,
            human_s=self._human_steps * self.env.unwrapped.control_dt,  # type: ignore[attr-defined]
        )
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerow(asdict(point).values())
        self._acted, self._succeeded = [], []
        self._next = (steps // config.eval_every_steps + 1) * config.eval_every_steps
        self._report(point)
