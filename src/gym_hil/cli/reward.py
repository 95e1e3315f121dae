"""``gym-hil reward``: learns a detector of success from recorded episodes, and measures its errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import plain_table, require_libraries, state_base_id, write_json
from gym_hil.cli.progress import progress_bar
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.dataset import require_no_dataset

if TYPE_CHECKING:
    from gym_hil.learning.reward_evaluation import RewardFigures


@dataclass(kw_only=True)
class TrainReward:
    """Learn a reward, which detects success, from recorded successes and failures.

    Reads the folders of `gym-hil record`, and LeRobotDatasets with a column next.success or next.reward.
    """

    datasets: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders with at least three successes and three failures together, of the same task and robot."""
    out: Path = Path("reward.npz")
    """The file to write."""
    obs: Literal["pixels", "state"] = "pixels"
    """What the reward observes: images of two cameras, or the positions of the objects."""
    image_size: int = 64
    """Height and width of an image in pixels."""
    seed: int = 0
    """Seed of the networks."""
    json: Path | None = None
    """Also write the results on the held-out episodes to this file."""

    def run(self) -> int:
        """Train, and print the results on episodes that were held out from training."""
        require_libraries()
        from gym_hil.learning.reward import MEMBERS, UPDATES, train_reward
        from gym_hil.learning.reward_data import read_datasets

        if not self.datasets:
            raise InvalidArgumentError("reward train needs the folder of a dataset")
        if not 16 <= self.image_size <= 512:
            raise InvalidArgumentError(f"image_size={self.image_size!r} must be from 16 to 512")
        require_no_dataset(self.out.parent)
        console = Console(highlight=False)
        size = self.image_size if self.obs == "pixels" else 0
        with progress_bar(console) as progress:
            bar = progress.add_task("reading episodes", total=None)
            data = read_datasets(self.datasets, size)
            progress.update(bar, description="learning", total=MEMBERS * UPDATES)
            reward = train_reward(data, size, seed=self.seed, on_update=lambda: progress.advance(bar))
        self.out.parent.mkdir(parents=True, exist_ok=True)
        reward.save(self.out)
        held_out = reward.held_out
        successes = sum(episode.success for episode in data.episodes)
        console.print(
            f"Learned from {successes} successes and {len(data.episodes) - successes} failures of "
            f"{data.interface.task} with {data.interface.robot}."
        )
        console.print(
            f"Held-out episodes: {held_out.found} of {held_out.successes} successes found, "
            f"{held_out.false_positives} false positives in {held_out.observations} observations without success."
        )
        console.print(f"Reward: {self.out}", soft_wrap=True)
        write_json(self.json, {"interface": asdict(data.interface), "held_out": asdict(held_out)})
        return 0


@dataclass(kw_only=True)
class EvalReward:
    """Compare a learned reward with the success in the simulator, or with the labels of recorded episodes.

    For an environment id, new episodes are run. The simulated human, a noisy expert, a policy that drops objects and
    a random policy control them in turn.
    """

    reward: Annotated[Path, tyro.conf.Positional]
    """File of `gym-hil reward train`."""
    on: Annotated[str, tyro.conf.Positional]
    """Environment id, or folder of a dataset."""
    episodes: int = 100
    """Number of new episodes, for an environment id."""
    seed: int = 1000
    """Seed of the first episode, incremented by 1 for each further one."""
    json: Path | None = None
    """Also write the table to this file."""

    def run(self) -> int:
        """Evaluate, and print the table."""
        require_libraries()
        from gym_hil.learning.reward import LearnedSuccess
        from gym_hil.learning.reward_data import read_datasets
        from gym_hil.learning.reward_evaluation import measure_in_task, measure_on_episodes, total

        detector, console = LearnedSuccess(self.reward), Console(highlight=False)
        learned = detector.reward
        with progress_bar(console) as progress:
            bar = progress.add_task("evaluating", total=None)
            if Path(self.on).is_dir():
                data = read_datasets([Path(self.on)], learned.size, learned.interface, self.reward)
                rows = {"recorded": measure_on_episodes(learned, data.episodes)}
            else:
                progress.update(bar, total=self.episodes)
                rows = measure_in_task(
                    detector,
                    state_base_id(self.on),
                    self.episodes,
                    self.seed,
                    on_episode=lambda: progress.advance(bar),
                )
                rows["all"] = total(rows.values())
        console.print(_table(rows))
        write_json(
            self.json,
            {
                "on": self.on,
                "seed": self.seed,
                "rows": {
                    name: {**asdict(row), "per_thousand": row.per_thousand, "recall": row.recall}
                    for name, row in rows.items()
                },
            },
        )
        return 0


def _table(rows: dict[str, RewardFigures]) -> Table:
    table = plain_table(
        "episodes",
        "observations\nwithout success",
        "false\npositives",
        "per 1,000",
        "just before\na success",
        "successes\nfound",
        "mean\ndelay (s)",
    )
    for name, row in rows.items():
        table.add_row(
            name,
            str(row.observations),
            str(row.false_positives),
            f"{row.per_thousand:.1f}",
            str(row.just_before),
            f"{row.found}/{row.successes}",
            f"{mean(row.delays_s):.2f}" if row.delays_s else "-",
        )
    return table


@dataclass(kw_only=True)
class Reward:
    """Learn a detector of success from recorded episodes, and measure its errors."""

    command: Annotated[
        Annotated[TrainReward, tyro.conf.subcommand("train", prefix_name=False)]
        | Annotated[EvalReward, tyro.conf.subcommand("eval", prefix_name=False)],
        tyro.conf.OmitArgPrefixes,
    ]
    """The command to run."""

    def run(self) -> int:
        """Run the command."""
        return self.command.run()
