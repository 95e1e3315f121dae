"""HTML pages from templates. A page is a single file without scripts and without external resources."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from gym_hil.core import palette
from gym_hil.core.errors import MissingExtraError
from gym_hil.core.files import write_atomically
from gym_hil.reports.charts import require_matplotlib
from gym_hil.simulation.rendering import Image

TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}


def require_libraries() -> None:
    """Require the packages for reports.

    Raises:
        MissingExtraError: Jinja2 or Matplotlib is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("jinja2", "report", "A report") from error
    require_matplotlib()


def render(template: str, **facts: Any) -> str:
    """Return a page.

    Args:
        template: name of a file in ``gym_hil/reports/templates``.
        facts: values for the template. All of them are escaped, except charts, which the templates mark as
            safe.

    Raises:
        MissingExtraError: Jinja2 or Matplotlib is not installed.
    """
    require_libraries()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(palette=palette.as_css(), **facts)


def write_page(path: Path, template: str, **facts: Any) -> None:
    """Render a page and write it to the file `path` atomically."""
    page = render(template, **facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode())


def picture_url(image: Image) -> str:
    """Return a data URL of a picture of shape (height, width, 3) as a JPEG."""
    from PIL import Image as PillowImage

    content = io.BytesIO()
    PillowImage.fromarray(image).save(content, format="JPEG", quality=85)
    return data_url(content.getvalue(), ".jpg")


def data_url(content: bytes, suffix: str) -> str:
    """Return a data URL with `content`, whose type follows from `suffix`, such as ``".mp4"``."""
    return f"data:{TYPES[suffix]};base64,{base64.b64encode(content).decode()}"
