"""Versions of Debian's packages, which is where the rivals that aren't Python come from."""

from __future__ import annotations

import subprocess


def package_version(package: str) -> str:
    """The installed version, "unknown version" where dpkg doesn't know the package (or there is no dpkg)."""
    try:
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", package], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown version"
    return done.stdout
