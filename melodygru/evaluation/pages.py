"""HTML pages that stand alone: templates of this package, filled in, with everything they show inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def render(template: str, context: Mapping[str, Any]) -> str:
    """A template of `templates` beside this file, filled in. What comes from files and names is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("melodygru.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**context)
