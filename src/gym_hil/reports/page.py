"""HTML pages from templates. A page is one file: it loads nothing, runs no script, and shows text as text."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from gym_hil.core import palette
from gym_hil.core.errors import MissingExtraError
from gym_hil.core.files import write_atomically
from gym_hil.reports.charts import require_matplotlib

TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}


def require_libraries() -> None:
    """Raise `MissingExtraError` unless Jinja2 and Matplotlib, which reports need, are installed."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("jinja2", "report", "A report") from error
    require_matplotlib()


def render(template: str, **facts: Any) -> str:
    """Return a page.

    Args:
        template: name of a file in ``gym_hil/reports/templates``.
        **facts: what the template shows. Everything is escaped except the charts, which the templates mark.

    Raises:
        MissingExtraError: Jinja2 is not installed.
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
    """Write what `render` returns to the file `path`, whole or not at all."""
    page = render(template, **facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode())


def data_url(content: bytes, suffix: str) -> str:
    """Return a URL that holds `content` itself; `suffix`, such as ``".mp4"``, says what it is."""
    return f"data:{TYPES[suffix]};base64,{base64.b64encode(content).decode()}"
