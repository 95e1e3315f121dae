"""A simulation with delayed observations and delayed actions.

Measurements and images are those of an earlier state, while success and rewards are those of the present state.
Targets and gripper commands are not delayed: they include all actions that were sent.

An action is a message that arrives after a delay. Its motion begins on arrival and takes a control period; then the
robot stops until the next message. If the next message arrives earlier, the set-point moves immediately to the end of
the unfinished motion, so that every action is executed completely and in order. Delays are multiples of a physics step.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gym_hil.core.delays import Delays
from gym_hil.core.errors import InvalidStateError
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Array, Simulation

OBSERVATIONS, ACTIONS = 1, 2
"""Streams of the random numbers of the jitter."""
LARGEST_KEY = 2**52
"""Upper bound of the keys of random generators. A float64 stores smaller integers exactly."""


class Executor(Protocol):
    """Executes actions, see `gym_hil.envs.robot_actions.RobotAction`."""

    bounds: tuple[list[float], list[float]]

    def bind(self, simulation: Simulation) -> None:
        """Let the actions command the end effectors of `simulation`."""

    def apply(self, values: list[float], limits: Sequence[Box]) -> int:
        """Command the end effectors, and return how many grippers switch."""


@dataclass(frozen=True)
class _DelayedAction:
    """An action that has not arrived yet.

    Attributes:
        tick: physics step of its arrival.
        anchors: whether the targets are first reset to the TCPs, because control was handed over.
        values: the numbers of the action.
    """

    tick: int
    anchors: bool
    values: list[float]


@dataclass
class _DelayedObservation:
    """An observation that is not shown yet: its physics step, and the state at that step or None before it."""

    tick: int
    state: Array | None = None


class DelayedSimulation(Simulation):
    """Shows an earlier state of another simulation, to which it passes actions with a delay.

    Args:
        world: the simulation without delays, in the present state.
        action: the actions, not bound yet.
        limits: box of the target of every TCP (world frame).
        delays: the delays.
    """

    _now: int
    _arrival: int
    _latest_observed: int
    _messages: deque[_DelayedAction]
    _observations: deque[_DelayedObservation]
    _executing: _DelayedAction | None

    def __init__(self, world: Simulation, action: Executor, limits: Sequence[Box], delays: Delays) -> None:
        self.data_type = world.data_type  # type: ignore[misc]
        super().__init__(
            world.robot,
            world.scene,
            control_dt=world.control_dt,
            physics_dt=world.physics_dt,
            control=world.control,
            model=world.shared_model,
        )
        self._arguments = world, copy.deepcopy(action), tuple(limits), delays
        self._world, _, self._limits, self._delays = self._arguments
        self._action, self._sent_action = copy.deepcopy(action), copy.deepcopy(action)
        self._action.bind(world)
        self._sent_action.bind(self)
        jitter = delays.jitter
        self._observations_ahead = math.ceil(self._ticks(delays.observation_delay + jitter) / self._nstep)
        self._most_messages = math.ceil(self._ticks(delays.action_delay + jitter) / self._nstep)
        self._key = 0
        self._begin(world.save())

    def __getstate__(self) -> dict[str, Any]:
        """Return what is needed to create an equal simulation."""
        return {"arguments": self._arguments, "state": self.save()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Create the simulation again, and continue exactly."""
        self.__init__(*state["arguments"])  # type: ignore[misc]
        self.restore(state["state"])

    @property
    def world(self) -> Simulation:
        """The simulation without delays, in the present state."""
        return self._world

    @property
    def stable(self) -> bool:
        """Whether the simulation without delays is stable."""
        return self._world.stable

    def reseed(self, rng: np.random.Generator) -> None:
        """Derive the jitter of the next episode from the state of a random generator, which does not change."""
        state: Any = rng.bit_generator.state
        self._key = int(state["state"]["state"]) % LARGEST_KEY

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Reset the simulation, see `Simulation.reset`. Messages that have not arrived are discarded."""
        self._world.reset(poses)
        self._begin(self._world.save())

    def anchor_target(self) -> None:
        """Reset the targets to the TCPs when the next action arrives."""
        self._anchors = True

    def act(self, values: list[float]) -> int:
        """Send an action, simulate one control period, and show the next observation.

        Args:
            values: numbers of an action within the bounds.

        Returns:
            The number of grippers that were switched by actions that arrived.
        """
        delay_ticks = self._delay_ticks(ACTIONS, self._steps, self._delays.action_delay)
        self._arrival = max(self._arrival, self._now + delay_ticks)
        self._messages.append(_DelayedAction(self._arrival, self._anchors, values))
        self._anchors = False
        switched = self._switched
        self.step()
        return self._switched - switched

    def step(self) -> None:
        """Simulate one control period without a new action, and show the next observation."""
        self._steps += 1
        self._expect_observation(self._steps + self._observations_ahead)
        self._advance_world(self._steps * self._nstep)
        self._show(self._observations.popleft())

    def compute_contacts(self) -> None:
        """Compute the contacts of the state that is shown."""
        super().restore(self._shown)
        super().compute_contacts()
        self._command(*self._commands)

    # Saved states: the present state, the state that is seen, and all messages.

    def save(self) -> Array:
        """Return the complete state as one array, see `Simulation.save`."""
        size, length = len(self._shown), len(self._action.bounds[0])
        running = self._running
        period_start = self._begun if running else self._world.save()
        executing = self._executing or _DelayedAction(-1, False, [0.0] * length)
        head = [
            self._key,
            self._steps,
            self._arrival,
            self._latest_observed,
            self._anchors,
            running,
            self._ticks_in_period,
        ]
        messages = [[message.tick, message.anchors, *message.values] for message in self._messages]
        unused = [[-1.0] * (2 + length)] * (self._most_messages - len(messages))
        observations = [
            [
                observation.tick,
                observation.state is not None,
                *(np.zeros(size) if observation.state is None else observation.state),
            ]
            for observation in self._observations
        ]
        rows = [*messages, *unused, *observations]
        parts = [
            head,
            [self._executing is not None, executing.anchors, *executing.values],
            period_start,
            self._shown,
            *rows,
        ]
        return np.concatenate([np.asarray(part, float) for part in parts])

    def restore(self, state: Array) -> None:
        """Restore the result of `save` exactly.

        Raises:
            InvalidStateError: the state belongs to another model, or to other delays.
        """
        size, length = len(self._shown), len(self._action.bounds[0])
        observation_size, message_size = (
            self._observations_ahead * (2 + size),
            self._most_messages * (2 + length),
        )
        needed = 7 + 2 + length + 2 * size + message_size + observation_size
        if np.shape(state) != (needed,):
            raise InvalidStateError(
                f"physics state has shape {np.shape(state)} instead of ({needed},), the shape for {self._delays}"
            )
        head, executing, period_start, shown, action_rows, observation_rows = np.split(
            np.asarray(state, float), np.cumsum([7, 2 + length, size, size, message_size])
        )
        self._world.restore(period_start)
        self._key, self._steps, self._arrival, self._latest_observed = (int(number) for number in head[:4])
        self._anchors, running, ticks_in_period = bool(head[4]), bool(head[5]), int(head[6])
        self._now = self._steps * self._nstep
        self._messages = deque(
            _DelayedAction(int(row[0]), bool(row[1]), row[2:].tolist())
            for row in action_rows.reshape(-1, 2 + length)
            if row[0] >= 0
        )
        self._observations = deque(
            _DelayedObservation(int(row[0]), row[2:].copy() if row[1] else None)
            for row in observation_rows.reshape(-1, 2 + size)
        )
        self._running, self._ticks_in_period, self._executing = False, 0, None
        if running:
            self._execute(
                _DelayedAction(-1, bool(executing[1]), executing[2:].tolist()) if executing[0] else None
            )
            self._world.advance(ticks_in_period)
            self._ticks_in_period = ticks_in_period
        self._show(_DelayedObservation(0, shown.copy()))

    # Internals. Times are numbers of physics steps ("ticks") since the reset.

    def _ticks(self, seconds: float) -> int:
        return round(seconds / self.physics_dt)

    def _delay_ticks(self, stream: int, number: int, delay: float) -> int:
        """Return the delay of a message, including jitter (physics steps)."""
        jitter = self._delays.jitter
        if jitter:
            delay += jitter * np.random.default_rng((self._key, stream, number)).random()
        return self._ticks(delay)

    def _begin(self, state: Array) -> None:
        self._steps = self._now = self._arrival = self._latest_observed = self._ticks_in_period = (
            self._switched
        ) = 0
        self._anchors = self._running = False
        self._executing = None
        self._begun = state
        self._messages = deque()
        self._observations = deque()
        for number in range(1, self._observations_ahead + 1):
            self._expect_observation(number)
        self._store_present()
        self._show(_DelayedObservation(0, self._snapshot()))

    def _expect_observation(self, number: int) -> None:
        """Determine the state that the observation after step `number` will show, not older than the previous one."""
        delay_ticks = self._delay_ticks(OBSERVATIONS, number, self._delays.observation_delay)
        self._latest_observed = max(self._latest_observed, number * self._nstep - delay_ticks)
        self._observations.append(_DelayedObservation(self._latest_observed))

    def _show(self, observation: _DelayedObservation) -> None:
        assert observation.state is not None
        self._shown = observation.state
        self._commands = self._sent_commands()
        super().restore(self._shown)
        self._command(*self._commands)

    def _command(self, act: Array, ctrl: Array, mocap_pos: Array, mocap_quat: Array) -> None:
        data = self.data
        data.act[:], data.ctrl[:], data.mocap_pos[:], data.mocap_quat[:] = act, ctrl, mocap_pos, mocap_quat

    def _sent_commands(self) -> tuple[Array, Array, Array, Array]:
        """Return what the targets and controls will be when all actions that were sent have been executed."""
        super().restore(self._begun if self._running else self._world.save())
        for message in (self._executing, *self._messages) if self._running else self._messages:
            if message is not None:
                if message.anchors:
                    super().anchor_target()
                self._sent_action.apply(message.values, self._limits)
            for effector in self.end_effectors:
                effector.control.begin_step()
                effector.control.end_step()
                effector.assume_at_target()
        data = self.data
        return data.act.copy(), data.ctrl.copy(), data.mocap_pos.copy(), data.mocap_quat.copy()

    def _snapshot(self) -> Array:
        """Return the present state with all bodies awake."""
        state = self._world.save()
        bodies = slice(-len(self._sleepers.countdowns) - len(self._variation.factors), None)
        asleep = state[bodies][: len(self._sleepers.countdowns)]
        asleep[asleep >= 0] = -1
        return state

    def _advance_world(self, end: int) -> None:
        while True:
            if self._running and self._ticks_in_period == self._nstep:
                self._finish()
            self._store_present()
            if self._now == end:
                return
            self._receive()
            ticks = min((end, *self._events())) - self._now
            self._world.advance(ticks)
            self._now += ticks
            self._ticks_in_period += ticks

    def _events(self) -> Iterator[int]:
        """Yield the ticks of the end of the period, of arrivals and of observations, in any order."""
        yield self._now + self._nstep - self._ticks_in_period
        if self._messages:
            yield self._messages[0].tick
        yield from (observation.tick for observation in self._observations if observation.state is None)

    def _store_present(self) -> None:
        """Store the present state for the observations that show it."""
        for observation in self._observations:
            if observation.state is None and observation.tick <= self._now:
                observation.state = self._snapshot()

    def _receive(self) -> None:
        """Begin the actions that have arrived, or a period without motion."""
        while self._messages and self._messages[0].tick <= self._now:
            if self._running:
                self._finish()
            self._switched += self._execute(self._messages.popleft())
        if not self._running:
            self._execute(None)

    def _execute(self, message: _DelayedAction | None) -> int:
        world, switches = self._world, 0
        self._begun, self._executing = world.save(), message
        self._running, self._ticks_in_period = True, 0
        if message is not None:
            if message.anchors:
                world.anchor_target()
            switches = self._action.apply(message.values, self._limits)
        world.begin_period()
        return switches

    def _finish(self) -> None:
        self._world.end_period()
        self._running, self._ticks_in_period, self._executing = False, 0, None


def delayed(present: Simulation, action: Executor, limits: Sequence[Box], delays: Delays) -> Simulation:
    """Return a simulation with delays, which is the simulation itself if there are none."""
    return DelayedSimulation(present, action, limits, delays) if delays else present


def act(simulation: Simulation, action: Executor, values: list[float], limits: Sequence[Box]) -> int:
    """Simulate one control period with an action, or send it if there are delays.

    Args:
        simulation: the simulation.
        action: executes actions of a simulation without delays.
        values: numbers of the action within the bounds.
        limits: box of the target of every TCP (world frame).

    Returns:
        The number of grippers that were switched.
    """
    if isinstance(simulation, DelayedSimulation):
        return simulation.act(values)
    switches = action.apply(values, limits)
    simulation.step()
    return switches
