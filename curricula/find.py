"""The manifests of a workspace, by id."""

from __future__ import annotations

from pathlib import Path

from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def list_manifests(workspace: Workspace) -> list[Path]:
    """Return every manifest's path, oldest first."""
    paths = (path for path in workspace.manifests.glob("*.json") if not path.name.startswith("."))
    return sorted(paths, key=lambda path: path.stat().st_mtime)


def find_manifest(workspace: Workspace, name: str) -> Path:
    """Return the path of a manifest by its id, the start of its id, or `latest`."""
    paths = list_manifests(workspace)
    if name == "latest" and paths:
        return paths[-1]
    fitting = [path for path in paths if path.stem.startswith(name)]
    if len(fitting) != 1:
        known = ", ".join(path.stem[:12] for path in paths) or "none; `gradus curriculum build` makes one"
        how_many = "more than one" if fitting else "no"
        raise DataError(f"{workspace.manifests}: {how_many} manifest {name!r}; there are: {known}")
    return fitting[0]
