"""A learned reward: a classifier of success, trained on a few recorded successes and failures.

Successes are rare among the observations, and some other observations are similar to them: an object that is not lifted
high enough yet, or one that has just been dropped. Therefore half of every batch are successes, and half of the others
are drawn from those with the highest logits. The episodes are divided into `MEMBERS` parts, and each network is trained
on all parts but one. The threshold is determined from the logits of each network on the part that was held out from its
training. An observation counts as success if the mean logit of all networks is above the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import nn

from gym_hil.core.archives import pack, unpack
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.learning.encoders import Encoder, randomly_shifted
from gym_hil.learning.imitation_learner import FEATURE_NOISE
from gym_hil.learning.reward_data import LabelledData, LabelledEpisode
from gym_hil.learning.reward_labels import NO_SUCCESS, SUCCESS
from gym_hil.learning.reward_observation import RewardInterface, RewardObservation
from gym_hil.learning.torch_setup import one_thread

MEMBERS = 3
"""Number of networks, and of parts of the episodes."""
UPDATES, BATCH, WIDTH, LEARNING_RATE = 600, 64, 64, 1e-3
SEARCH_EVERY = 100
"""Number of updates between two searches for the observations without success that have the highest logits."""
HARD = 0.05
"""Share of the observations without success from which half of those in a batch are drawn."""
CHUNK = 256
"""Number of observations that are classified at once."""
FORMAT = "reward-1"


class Network(nn.Module):
    """One network: an image encoder for images, and a hidden layer.

    Args:
        row_size: length of a row, which is one observation as a vector.
        images: whether rows are images.
    """

    def __init__(self, row_size: int, images: bool) -> None:
        super().__init__()
        self.row_size, self._images = row_size, images
        size = row_size
        self.encoder: nn.Module = nn.Identity()
        if images:
            self.encoder = encoder = Encoder(spaces.Box(0, 255, (row_size,), np.uint8))
            size = encoder.features_dim
        self.head = nn.Sequential(nn.Linear(size, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return logits (batch,) of success for rows (batch, size). In training, the rows are augmented."""
        if self.training and self._images:
            rows = randomly_shifted(rows)
        features = self.encoder(rows if self._images else rows.float())
        if self.training and not self._images:
            features = features + FEATURE_NOISE * torch.randn_like(features)
        return self.head(features)[:, 0]

    def logits(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the logits of rows without augmentation."""
        self.eval()
        with torch.no_grad():
            parts = [self(torch.from_numpy(rows[at : at + CHUNK])) for at in range(0, len(rows), CHUNK)]
        return torch.cat(parts).numpy()


@dataclass(frozen=True)
class HeldOut:
    """Results of the networks on the episodes that were held out from their training.

    Attributes:
        observations: number of observations without success.
        false_positives: number of these that count as success.
        successes: number of observations with success.
        found: number of these that count as success.
    """

    observations: int
    false_positives: int
    successes: int
    found: int


class LearnedReward:
    """A classifier of success.

    Args:
        interface: task, robot and observation of the reward.
        size: height and width of its images in pixels; 0 for features of the state.
        threshold: the mean logit above which an observation counts as success.
        networks: the networks.
        held_out: results for the held-out episodes of its training.
    """

    def __init__(
        self,
        interface: RewardInterface,
        size: int,
        threshold: float,
        networks: Sequence[Network],
        held_out: HeldOut,
    ) -> None:
        self.interface, self.size, self.threshold = interface, size, threshold
        self.networks, self.held_out = tuple(networks), held_out

    def logits(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the mean logits (n) of rows (n, size)."""
        return np.mean([network.logits(rows) for network in self.networks], axis=0)

    def classify(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether each row (n, size) counts as success (n)."""
        return self.logits(rows) > self.threshold

    def save(self, path: Path) -> None:
        """Write the classifier to the ``.npz`` file `path`."""
        facts = {
            "format": FORMAT,
            "interface": asdict(self.interface),
            "size": self.size,
            "row_size": self.networks[0].row_size,
            "threshold": self.threshold,
            "held_out": asdict(self.held_out),
        }
        arrays = {
            f"{number}/{name}": value.numpy()
            for number, network in enumerate(self.networks)
            for name, value in network.state_dict().items()
        }
        write_atomically(path, pack(facts, arrays, compress=True))

    @classmethod
    def load(cls, path: Path) -> LearnedReward:
        """Read the result of `save`. Reading never executes code from the file.

        Raises:
            InvalidArgumentError: the file does not exist, or is not a learned reward.
        """
        try:
            facts, arrays = unpack(path.read_bytes())
            if not isinstance(facts, dict) or facts.get("format") != FORMAT:
                raise ValueError("gym-hil reward train has not written it")
            interface = dict(facts["interface"])
            interface["observation"] = tuple(interface["observation"])
            size, networks = int(facts["size"]), []
            for number in range(MEMBERS):
                weights = {
                    name.removeprefix(f"{number}/"): torch.from_numpy(value)
                    for name, value in arrays.items()
                    if name.startswith(f"{number}/")
                }
                networks.append(Network(int(facts["row_size"]), size > 0))
                networks[-1].load_state_dict(weights)
            held_out = HeldOut(**facts["held_out"])
            return cls(RewardInterface(**interface), size, float(facts["threshold"]), networks, held_out)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise InvalidArgumentError(f"{path} cannot be read as a learned reward: {error}") from error


def train_reward(
    data: LabelledData,
    size: int,
    *,
    seed: int = 0,
    updates: int = UPDATES,
    on_update: Callable[[], None] = lambda: None,
) -> LearnedReward:
    """Train a classifier of success.

    Args:
        data: recorded episodes.
        size: height and width of the images in pixels; 0 for features of the state.
        seed: seed of the networks and batches.
        updates: number of updates of each network.
        on_update: called after each of the `MEMBERS` * `updates` updates.

    Raises:
        InvalidArgumentError: there are fewer than `MEMBERS` successes, or failures.
    """
    parts = _parts(data.episodes)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    row_size = data.episodes[0].rows.shape[1]
    networks, logits, labels = [], [], []
    for held_out_part in range(MEMBERS):
        others = [episode for number, part in enumerate(parts) if number != held_out_part for episode in part]
        network = Network(row_size, size > 0)
        _fit(network, others, rng, updates, on_update)
        networks.append(network)
        rows, part_labels = _joined(parts[held_out_part])
        logits.append(network.logits(rows))
        labels.append(part_labels)
    all_logits, truth = np.concatenate(logits), np.concatenate(labels)
    threshold = _threshold(all_logits[truth == NO_SUCCESS], all_logits[truth == SUCCESS])
    detected = all_logits > threshold
    held_out = HeldOut(
        int((truth == NO_SUCCESS).sum()),
        int(detected[truth == NO_SUCCESS].sum()),
        int((truth == SUCCESS).sum()),
        int(detected[truth == SUCCESS].sum()),
    )
    return LearnedReward(data.interface, size, threshold, networks, held_out)


def _parts(episodes: Sequence[LabelledEpisode]) -> list[list[LabelledEpisode]]:
    """Divide the episodes into parts with equally many successes."""
    successes = [episode for episode in episodes if episode.success]
    failures = [episode for episode in episodes if not episode.success]
    if min(len(successes), len(failures)) < MEMBERS:
        raise InvalidArgumentError(
            f"a reward is learned from at least {MEMBERS} successes and {MEMBERS} failures; the datasets have "
            f"{len(successes)} successes and {len(failures)} failures"
        )
    return [[*successes[number::MEMBERS], *failures[number::MEMBERS]] for number in range(MEMBERS)]


def _joined(episodes: Sequence[LabelledEpisode]) -> tuple[NDArray[Any], NDArray[np.int8]]:
    rows = np.concatenate([episode.rows for episode in episodes])
    return rows, np.concatenate([episode.labels for episode in episodes])


def _fit(
    network: Network,
    episodes: Sequence[LabelledEpisode],
    rng: np.random.Generator,
    updates: int,
    on_update: Callable[[], None],
) -> None:
    rows, labels = _joined(episodes)
    good, bad = np.flatnonzero(labels == SUCCESS), np.flatnonzero(labels == NO_SUCCESS)
    hard = bad
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    batch_labels = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
    for update in range(updates):
        if update and update % SEARCH_EVERY == 0:
            count = max(BATCH // 4, round(HARD * len(bad)))
            hard = bad[np.argsort(network.logits(rows[bad]))[-count:]]
        chosen = np.concatenate(
            [rng.choice(good, BATCH // 2), rng.choice(hard, BATCH // 4), rng.choice(bad, BATCH // 4)]
        )
        network.train()
        logits = network(torch.from_numpy(rows[chosen]))
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch_labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        on_update()


def _threshold(bad: NDArray[np.float32], good: NDArray[np.float32]) -> float:
    """Return the threshold: above all observations without success, but not above half of the successes.

    A missed success can still be detected in a later step, but a false success ends the episode and is rewarded.
    """
    return float(min(max(bad.max(), 0.0), np.median(good)))


class LearnedSuccess:
    """Lets a learned reward decide whether the task is done; see `gym_hil.core.success.SuccessDetector`.

    Args:
        path: file of `gym-hil reward train`.
    """

    def __init__(self, path: Path) -> None:
        self._path, self.reward = path, LearnedReward.load(path)
        self._observation: RewardObservation | None = None

    def attach(self, env: EnvironmentInterface) -> None:
        """Prepare for an environment.

        Raises:
            InvalidArgumentError: the reward was learned for another task, robot or observation.
        """
        self._observation = RewardObservation(env, self.reward.size)
        self.reward.interface.require_same(self._observation.interface, self._path, "the environment")

    def detects(self) -> bool:
        """Return whether the current observation counts as success."""
        assert self._observation is not None, "attach comes first"
        with one_thread():
            return bool(self.reward.classify(self._observation.read()[None])[0])

    def close(self) -> None:
        """Free the rendering resources."""
        if self._observation is not None:
            self._observation.close()
