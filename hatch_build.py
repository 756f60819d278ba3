"""What hatchling does more when it builds a wheel, or an editable install: compile the shared libraries.

Without a compiler the wheel is one of Python alone, which works everywhere, and is slower.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from melodygru import libraries


class Libraries(BuildHookInterface):
    """Builds `melodygru/compiled/` and takes it in. MELODYGRU_PURE=1 leaves it out."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is made."""
        if os.environ.get("MELODYGRU_PURE") == "1" or sys.platform == "win32":
            return
        for name, library in libraries.LIBRARIES.items():
            try:
                made = libraries.build(name)
            except libraries.CompilerError as error:
                self.app.display_warning(f"{name} could not be compiled ({error}): {library.without} will be slower.")
                continue
            build_data["force_include"][str(made)] = f"melodygru/compiled/{made.name}"
            build_data["pure_python"] = False
        if not build_data["pure_python"]:
            # It holds no extension module, so any Python will do: only the system and the CPU's architecture count.
            build_data["tag"] = f"py3-none-{_platform()}"


def _platform() -> str:
    from packaging.tags import platform_tags

    return next(platform_tags())
