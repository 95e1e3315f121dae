"""Attaches a window or a web page to an environment, which then delivers a person's input to the operator's device."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import gymnasium as gym

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import DeviceError, MissingExtraError
from gym_hil.viewers.base import Viewer

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress
    from gym_hil.viewers.web.page import Page
    from gym_hil.viewers.window import Window

log = logging.getLogger(__name__)
V = TypeVar("V", bound=Viewer)


def find_viewer(env: gym.Env, kind: type[V]) -> V | None:
    """Return the viewer of class `kind` that shows `env`, or None."""
    if not env.has_wrapper_attr("observers"):
        return None
    return next(
        (observer for observer in env.get_wrapper_attr("observers") if isinstance(observer, kind)), None
    )


def find_page(env: gym.Env) -> Page | None:
    """Return the web page that shows `env`, or None."""
    from gym_hil.viewers.web.page import Page

    return find_viewer(env, Page)


def find_window(env: gym.Env) -> Window | None:
    """Return the window that shows `env`, or None."""
    from gym_hil.viewers.window import Window

    return find_viewer(env, Window)


def open_window(env: gym.Env, *, show_help: bool = True) -> Window | None:
    """Show every step of an environment in a window.

    Args:
        env: an environment with a takeover wrapper.
        show_help: whether to explain the keys, if the operator uses the keyboard.

    Returns:
        The window, or None if no window can be opened, in which case a warning is logged.
    """
    from gym_hil.viewers.window import Window

    if (window := find_window(env)) is not None:
        return window
    raw = EnvironmentInterface(env)
    size = raw.render_spec.video_width, raw.render_spec.video_height
    try:
        window = Window(_title(raw), raw.model, raw.video_camera, size, show_help=show_help)
    except (DeviceError, MissingExtraError) as error:
        log.warning("No window: %s. To see the robot in a browser, run: gym-hil play --web", error)
        _connect(env, "window", None)
        return None
    _connect(env, "window", window)
    return window


def open_page(env: gym.Env, address: PageAddress | None = None) -> Page:
    """Show every step of an environment on a web page.

    Args:
        env: an environment with a takeover wrapper.
        address: address of the page; None for that of the operator's device, or a free port.

    Returns:
        The page.

    Raises:
        DeviceError: the address cannot be used.
        MissingExtraError: aiohttp is not installed.
    """
    from gym_hil.viewers.web.page import Page

    if (page := find_page(env)) is not None:
        return page
    if address is None:
        address = next((device.address for device in _devices_of_viewer(env, "page")), None)
    raw = EnvironmentInterface(env)
    page = Page(_title(raw), raw.model, address, raw.task.description if raw.offers("task") else "")
    _connect(env, "page", page)
    return page


def needs_viewer(env: gym.Env, viewer_name: str) -> bool:
    """Return whether the operator has a device whose input is delivered by the viewer `viewer_name`,
    ``"window"`` or ``"page"``.
    """
    return any(True for _ in _devices_of_viewer(env, viewer_name))


def _title(env: EnvironmentInterface) -> str:
    return f"gym-hil {env.task.name}" if env.offers("task") else "gym-hil"


def _devices_of_viewer(env: gym.Env, viewer_name: str) -> list:
    operator = env.get_wrapper_attr("operator") if env.has_wrapper_attr("operator") else None
    device = getattr(operator, "device", None)
    return (
        [leaf for leaf in device.leaves() if leaf.input_viewer == viewer_name] if device is not None else []
    )


def _connect(env: gym.Env, viewer_name: str, viewer: Viewer | None) -> None:
    for device in _devices_of_viewer(env, viewer_name):
        if viewer is not None:
            viewer.deliver_to(device)
        elif viewer_name == "window":
            device.connected = False
    if viewer is not None:
        env.get_wrapper_attr("subscribe")(viewer)
