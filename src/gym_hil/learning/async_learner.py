"""Run the learner in a separate process, or in the caller's for tests and studies.

Without a person, the acting process waits at fixed steps for a fixed number of updates, so that the updates
per step are what the configuration says, and both kinds of learner give the same weights, bit for bit. With
a person, acting never waits for learning.
"""

from __future__ import annotations

import abc
import contextlib
import multiprocessing
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gymnasium import spaces

from gym_hil.core.errors import GymHilError
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.learner_service import LearnerMessage, LearnerProgress, LearnerService

CLOSE_TIMEOUT_S = 30.0
"""How long a learner may take to end before it is killed (s)."""


class LearningError(GymHilError, RuntimeError):
    """The learning process failed or was killed."""


class LearnerClient(abc.ABC):
    """The acting process's connection to a learner.

    Attributes:
        sent: messages that were sent.
    """

    def __init__(self) -> None:
        self.sent = 0

    @abc.abstractmethod
    def send(self, message: LearnerMessage) -> None:
        """Send transitions. With a learner in a separate process this never waits for a gradient step."""

    @abc.abstractmethod
    def wait_for(self, messages: int) -> LearnerProgress:
        """Wait until `messages` messages are learned from, and return the progress of exactly that moment.

        Later calls must not ask for less.
        """

    @abc.abstractmethod
    def newest(self) -> LearnerProgress:
        """Return the newest progress without waiting."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the learner after its present step. Calling it twice is allowed."""

    def finish(self) -> LearnerProgress:
        """Wait until everything is learned from and on disk, and end the learner."""
        last = self.wait_for(self.sent)
        self.close()
        return last


class InProcessLearner(LearnerClient):
    """Learns in the caller's process, inside `send`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        self._service = LearnerService(*arguments)
        self._history = deque([self._service.progress()], maxlen=3)

    def send(self, message: LearnerMessage) -> None:
        """Learn from it."""
        self.sent += 1
        self._service.receive(message)
        while self._service.has_work:
            progress = self._service.learn_one_step()
            if progress is not None:
                self._history.append(progress)
                self._service.save()

    def wait_for(self, messages: int) -> LearnerProgress:
        """Return the progress of that moment."""
        return next(progress for progress in self._history if progress.messages == messages)

    def newest(self) -> LearnerProgress:
        """Return the newest progress."""
        return self._history[-1]

    def close(self) -> None:
        """Do nothing."""


class SeparateProcessLearner(LearnerClient):
    """Learns in a process of its own."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, *arguments), name="gym-hil learner", daemon=True
        )
        self._process.start()
        other.close()
        self._inbox = _Inbox(self._connection)
        self._last: LearnerProgress | None = None

    def send(self, message: LearnerMessage) -> None:
        """Send transitions."""
        self.sent += 1
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._failure() from error

    def wait_for(self, messages: int) -> LearnerProgress:
        """Wait until `messages` messages are learned from, and return the progress of exactly that moment."""
        while self._last is None or self._last.messages < messages:
            self._last = self._take()
        return self._last

    def newest(self) -> LearnerProgress:
        """Return the newest progress; waits only for the learner to start."""
        while self._last is None or self._inbox.waiting:
            self._last = self._take()
        return self._last

    def close(self) -> None:
        """End the learner after its present step."""
        if self._process.is_alive():
            with contextlib.suppress(OSError):
                self._connection.send(None)
            self._process.join(timeout=CLOSE_TIMEOUT_S)
            self._process.kill()

    def _failure(self) -> LearningError:
        """Return why the learner has ended: what it said last, if it said anything."""
        message: Any = ""
        while message is not None:
            message = self._inbox.take()
            if isinstance(message, str):
                return LearningError(f"learning failed: {message}")
        return self._ended()

    def _take(self) -> LearnerProgress:
        message = self._inbox.take()
        if isinstance(message, str):
            raise LearningError(f"learning failed: {message}")
        if message is None:
            raise self._ended()
        return message

    def _ended(self) -> LearningError:
        self._process.join(timeout=1.0)
        return LearningError(f"the learning process ended with status {self._process.exitcode}")


class _Inbox:
    """Reads everything that arrives, so that the sender never waits; None stands for the end."""

    def __init__(self, connection: Connection) -> None:
        self._messages: deque[Any] = deque()
        self._changed = threading.Condition()
        self._connection = connection
        threading.Thread(target=self._read, name="gym-hil inbox", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether there is a message."""
        return bool(self._messages)

    def take(self) -> Any:
        """Wait for the next message and return it; None at the end, for ever."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages)
            return self._messages.popleft() if self._messages[0] is not None else None

    def _read(self) -> None:
        message: Any = ""
        while message is not None:
            try:
                message = self._connection.recv()
            except (EOFError, OSError, TypeError):  # TypeError: closed by another thread meanwhile
                message = None
            with self._changed:
                self._messages.append(message)
                self._changed.notify()


def _serve(connection: Connection, config: TrainConfig, *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the acting process's to handle
    try:
        try:
            _learn(connection, config, *arguments)
        except ConnectionError:
            raise
        except GymHilError as error:
            connection.send(str(error))
        except BaseException:
            connection.send(f"\n{traceback.format_exc()}")
    except OSError:
        return  # the acting process is gone


def _learn(connection: Connection, config: TrainConfig, *arguments: Any) -> None:
    """Learn from messages until the acting process ends."""
    service = LearnerService(config, *arguments)
    connection.send(service.progress())
    inbox = _Inbox(connection)
    while True:
        while _should_receive(inbox, service, real_time=config.real_time):
            message = inbox.take()
            if message is None:
                return
            service.receive(message)
        progress = service.learn_one_step()
        if progress is not None:
            connection.send(progress)
            service.save()


def _should_receive(inbox: _Inbox, service: LearnerService, *, real_time: bool) -> bool:
    """Return whether to take the next message before learning goes on.

    In real time, transitions are stored as soon as they arrive, so that batches contain them. Otherwise
    each message is learned from completely before the next one, which makes the result independent of
    timing.
    """
    if not service.has_work:
        return True
    return real_time and inbox.waiting


ConnectLearner = Callable[[TrainConfig, Path, spaces.Box, spaces.Box, dict[str, Any]], LearnerClient]
"""Starts a learner: `InProcessLearner` or `SeparateProcessLearner`."""
