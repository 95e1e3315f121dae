"""Runs the learner in a separate process, or in the same process for tests and studies.

Without a person, the acting process waits at fixed steps for a fixed number of updates. The number of updates per
step is then exactly that of the configuration, and both kinds of learner give identical weights. With a person,
the acting process never waits.
"""

from __future__ import annotations

import abc
import contextlib
import multiprocessing
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gymnasium import spaces

from gym_hil.core.errors import GymHilError
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.learner_service import LearnerMessage, LearnerProgress, LearnerService

CLOSE_TIMEOUT_S = 30.0
"""Time that a learner has to end before it is killed (s)."""


class LearningError(GymHilError, RuntimeError):
    """The learning process failed or was killed."""


class LearnerClient(abc.ABC):
    """Connection of the acting process to a learner.

    Attributes:
        sent: number of messages that were sent.
    """

    def __init__(self) -> None:
        self.sent = 0

    @abc.abstractmethod
    def send(self, message: LearnerMessage) -> None:
        """Send a message. If the learner is in a separate process, this does not wait for gradient steps.

        Raises:
            LearningError: the learning process has ended.
        """

    @abc.abstractmethod
    def wait_for(self, messages: int) -> LearnerProgress:
        """Wait until the learner has processed a number of messages.

        Args:
            messages: number of messages since the start, not less than in earlier calls.

        Returns:
            The progress directly after the last of these messages.

        Raises:
            LearningError: the learning process has ended.
        """

    @abc.abstractmethod
    def newest(self) -> LearnerProgress:
        """Return the newest progress without waiting."""

    @abc.abstractmethod
    def close(self) -> None:
        """Stop the learner after its current step. It may be called more than once."""


class InProcessLearner(LearnerClient):
    """Learns in the caller's process, within `send`.

    Args:
        arguments: arguments of `LearnerService`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        self._service = LearnerService(*arguments)
        self._history = deque([self._service.progress()], maxlen=3)

    def send(self, message: LearnerMessage) -> None:
        """Process a message."""
        self.sent += 1
        self._service.receive(message)
        while self._service.has_work:
            progress = self._service.learn_one_step()
            if progress is not None:
                self._history.append(progress)
                self._service.save()

    def wait_for(self, messages: int) -> LearnerProgress:
        """Return the progress directly after the first `messages` messages."""
        return next(progress for progress in self._history if progress.messages == messages)

    def newest(self) -> LearnerProgress:
        """Return the newest progress."""
        return self._history[-1]

    def close(self) -> None:
        """Do nothing."""


class SeparateProcessLearner(LearnerClient):
    """Learns in a separate process.

    Args:
        arguments: arguments of `LearnerService`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        context = multiprocessing.get_context("spawn")
        self._connection, learner_connection = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(learner_connection, *arguments), name="gym-hil learner", daemon=True
        )
        with ctrl_c_ignored():  # also in the new process, until it ignores Ctrl-C by itself
            self._process.start()
        learner_connection.close()
        self._inbox = _Inbox(self._connection)
        self._last: LearnerProgress | None = None

    def send(self, message: LearnerMessage) -> None:
        """Send a message."""
        self.sent += 1
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._failure() from error

    def wait_for(self, messages: int) -> LearnerProgress:
        """Wait until `messages` messages are processed, and return the progress directly after the last of them."""
        while self._last is None or self._last.messages < messages:
            self._last = self._take()
        return self._last

    def newest(self) -> LearnerProgress:
        """Return the newest progress. This waits only for the start of the learner."""
        while self._last is None or self._inbox.waiting:
            self._last = self._take()
        return self._last

    def close(self) -> None:
        """Stop the learner after its current step."""
        if self._process.is_alive():
            with contextlib.suppress(OSError):
                self._connection.send(None)
            self._process.join(timeout=CLOSE_TIMEOUT_S)
            self._process.kill()

    def _failure(self) -> LearningError:
        """Return an error with the learner's last message, or its exit status."""
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


@contextlib.contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Ignore Ctrl-C within the context. Only the main thread receives it and can change its handling."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Inbox:
    """Reads messages in a thread, so that the sender never waits. None marks the end of the connection."""

    def __init__(self, connection: Connection) -> None:
        self._messages: deque[Any] = deque()
        self._changed = threading.Condition()
        self._connection = connection
        threading.Thread(target=self._read, name="gym-hil inbox", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether a message is available."""
        return bool(self._messages)

    def take(self) -> Any:
        """Wait for the next message and return it. At the end of the connection, every call returns None."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages)
            return self._messages.popleft() if self._messages[0] is not None else None

    def _read(self) -> None:
        message: Any = ""
        while message is not None:
            try:
                message = self._connection.recv()
            except (EOFError, OSError, TypeError):  # TypeError: another thread has closed the connection
                message = None
            with self._changed:
                self._messages.append(message)
                self._changed.notify()


def _serve(connection: Connection, config: TrainConfig, *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the acting process handles Ctrl-C
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
        return  # the acting process has ended


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
    """Return whether to receive the next message before the next update.

    In real time, transitions are stored as soon as they arrive, so that batches contain them. Otherwise each
    message is processed completely before the next one, so that the result does not depend on timing.
    """
    if not service.has_work:
        return True
    return real_time and inbox.waiting


ConnectLearner = Callable[[TrainConfig, Path, spaces.Box, spaces.Box, dict[str, Any]], LearnerClient]
"""A function that starts a learner: `InProcessLearner` or `SeparateProcessLearner`."""
