"""Videos of episodes, with a banner on every frame that shows who acts."""

from __future__ import annotations

import contextlib
import errno
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.core.errors import InvalidArgumentError, RenderingError, StorageError
from gym_hil.core.files import make_folder, replacing
from gym_hil.core.palette import HUMAN, POLICY, SUCCESS, rgb
from gym_hil.simulation.rendering import GymRenderingSpec, Image, Quality

SUFFIXES = (".mp4", ".mkv", ".mov")
QUALITY = Quality(shadow_size=1024, samples=4, slices=28, stacks=14)
"""Rendering quality of videos in reports, with antialiasing and shadows."""
REPORT_SPEC = GymRenderingSpec(video_height=360, video_width=480, video_quality=QUALITY)
"""Size and quality of the videos in reports."""
VIDEO_SPEC = GymRenderingSpec(video_height=720, video_width=960)
"""Size and quality of separate videos."""
_ENCODING = {
    "quality": None,
    "macro_block_size": 2,
    "output_params": ["-crf", "20", "-movflags", "+faststart"],
    "ffmpeg_log_level": "quiet",
}


def with_banner(frame: Image, *, human: bool, success: bool, seconds: float) -> Image:
    """Return a copy of `frame` with a banner at its top.

    Args:
        frame: image (height, width, 3).
        human: whether the human acts instead of the policy.
        success: whether the task is done.
        seconds: time in the episode (s).
    """
    from PIL import Image as PillowImage
    from PIL import ImageDraw, ImageFont

    acting = "HUMAN" if human else "POLICY"
    colour = HUMAN if human else POLICY
    if success:
        acting, colour = f"{acting}: SUCCESS", SUCCESS
    image = PillowImage.fromarray(frame)
    draw, height = ImageDraw.Draw(image), max(14, image.height // 14)
    draw.rectangle((0, 0, image.width, height), fill=rgb(colour))
    font, edge = ImageFont.load_default(size=0.6 * height), height // 3
    draw.text((edge, height / 2), acting, fill="white", font=font, anchor="lm")
    draw.text((image.width - edge, height / 2), f"{seconds:4.1f} s", fill="white", font=font, anchor="rm")
    return np.asarray(image)


def render_image(env: Any) -> Image:
    """Return the image (height, width, 3) that an environment renders in the render mode ``"rgb_array"``.

    Raises:
        RenderingError: the environment does not render images.
    """
    try:
        shown = env.render()
    except NotImplementedError:
        shown = None
    if not isinstance(shown, np.ndarray):
        raise RenderingError(f"{type(env.unwrapped).__name__} has no render mode 'rgb_array'")
    return shown


def last_frame(path: Path) -> Image:
    """Return the last image of a video, (height, width, 3)."""
    import imageio.v3 as iio

    frames = deque(iio.imiter(path), maxlen=1)
    return np.asarray(frames.pop())


@contextlib.contextmanager
def open_video(path: Path, fps: float) -> Iterator[Callable[[Image], None]]:
    """Write an H.264 video, which appears under its name when it is complete.

    If the block ends with an error, the video is removed, and an older video is kept. Ctrl-C completes the
    video with the frames that it has.

    Args:
        path: the file, with one of the `SUFFIXES`. Its folder is created if necessary.
        fps: frames per second.

    Yields:
        A function that appends an image (height, width, 3).

    Raises:
        InvalidArgumentError: the suffix is not supported.
        StorageError: the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidArgumentError(f"video={str(path)!r} must end in one of: {', '.join(SUFFIXES)}")
    import imageio

    make_folder(path.parent)
    interrupt: KeyboardInterrupt | None = None
    frames = 0
    with replacing(path) as temporary:
        temporary.touch()  # raises an error before the first frame if the folder cannot be written
        with imageio.get_writer(temporary, fps=fps, **_ENCODING) as writer:

            def add(frame: Image) -> None:
                nonlocal frames
                frames += 1
                try:
                    writer.append_data(np.asarray(frame))
                except OSError as error:
                    reason = str(error).partition("\n")[0]
                    raise StorageError(error.errno, f"{path} cannot be written: {reason}") from error

            try:
                yield add
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None and not frames:
            raise interrupt
        _require_frames(temporary, frames, path)
    if interrupt is not None:
        raise interrupt


def _require_frames(written: Path, frames: int, path: Path) -> None:
    """Raise `StorageError` if frames are missing: the encoder does not report a full disk."""
    if not frames:
        return
    from imageio_ffmpeg import count_frames_and_secs

    try:
        count = count_frames_and_secs(str(written))[0]
    except RuntimeError:
        count = 0
    if count < frames:
        with written.open("ab") as file:  # raises the error that the encoder had
            file.write(bytes(2**16))
        raise StorageError(errno.EIO, f"{path} cannot be written: the encoder stopped after {count} frames")
