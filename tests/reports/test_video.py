"""Videos are written as a whole or not at all, and their banner shows who acts."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError, StorageError
from gym_hil.core.palette import HUMAN, POLICY, SUCCESS, rgb
from gym_hil.reports.video import open_video, with_banner

FRAME = np.full((120, 160, 3), 90, np.uint8)


@pytest.mark.parametrize(
    "human, success, colour", [(True, False, HUMAN), (False, False, POLICY), (False, True, SUCCESS)]
)
def test_the_banner_shows_who_acts(human, success, colour):
    shown = with_banner(FRAME, human=human, success=success, seconds=1.5)
    assert tuple(shown[0, 80]) == rgb(colour)
    assert (shown[40:] == FRAME[40:]).all() and (FRAME == 90).all(), "the picture below stays as it was"


def test_a_video_has_every_frame_at_its_rate(tmp_path):
    path = tmp_path / "new" / "v.mp4"
    with open_video(path, 10.0) as add:
        for level in range(0, 250, 10):
            add(np.full((121, 161, 3), level, np.uint8))
    frames = iio.imread(path)
    assert len(frames) == 25 and iio.immeta(path)["fps"] == 10.0
    assert [frame.mean() for frame in frames] == pytest.approx(list(range(0, 250, 10)), abs=4)
    assert list(path.parent.iterdir()) == [path]


def test_an_error_keeps_the_previous_video(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"older")
    with pytest.raises(KeyError), open_video(path, 10.0) as add:
        add(FRAME)
        raise KeyError
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["noext", "v.txt", "v.npz"])
def test_an_error_about_an_unknown_suffix_lists_the_valid_ones(tmp_path, name):
    with (
        pytest.raises(InvalidArgumentError, match=r"must end in one of: \.mp4"),
        open_video(tmp_path / name, 10.0),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "v.mp4"
    with pytest.raises(StorageError, match="cannot be created") as caught, open_video(path, 10.0):
        pass
    assert "\n" not in str(caught.value)


def test_ctrl_c_completes_the_video(tmp_path):
    path = tmp_path / "v.mp4"
    with pytest.raises(KeyboardInterrupt), open_video(path, 10.0) as add:
        add(FRAME)
        add(FRAME)
        raise KeyboardInterrupt
    assert len(iio.imread(path)) == 2


def test_ctrl_c_before_the_first_frame_leaves_no_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), open_video(tmp_path / "v.mp4", 10.0):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("counted", [1, RuntimeError("not a video")])
def test_a_video_that_the_encoder_did_not_complete_is_an_error(tmp_path, monkeypatch, counted):
    def count(path):
        if isinstance(counted, int):
            return counted, 0.1
        raise counted

    monkeypatch.setattr("imageio_ffmpeg.count_frames_and_secs", count)
    path = tmp_path / "v.mp4"
    path.write_bytes(b"older")
    with (
        pytest.raises(StorageError, match=r"v\.mp4 cannot be written: the encoder stopped after [01] frames"),
        open_video(path, 10.0) as add,
    ):
        add(FRAME)
        add(FRAME)
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]
