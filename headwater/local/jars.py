"""Kafka's jars: named with their sha256 in a lock file, fetched once, verified at every start.

jgo fetches them from Maven Central into a folder of its own; only what has the locked sha256
is moved into the cache, so a broken download is never found there by the next start. The cache
(`$XDG_CACHE_HOME` or `~/.cache`, then `headwater/jars`) is shared by all checkouts of a user.
`python -m headwater.local.jars` resolves Kafka anew and rewrites the lock file.
"""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ServiceFailed

if TYPE_CHECKING:
    from jgo.env import LockedDependency
    from jgo.maven import MavenContext

LOCK = Path(__file__).with_name("kafka.lock.toml")
# Kafka logs through slf4j and its jars bring no backend: without one its log file stays empty.
ROOTS = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")


def cache(environ: Mapping[str, str]) -> Path:
    """Return the folder that all checkouts of this user share."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home(), ".cache")
    return Path(base, "headwater", "jars")


def complete(folder: Path) -> bool:
    """Return whether nothing needs to be fetched, without a look into the jars."""
    locked = tomllib.loads(LOCK.read_text(encoding="utf-8"))["dependencies"]
    return all(any(folder.glob(f"**/{d['artifactId']}-{d['version']}.jar")) for d in locked)


def ensure(folder: Path, lock_file: Path = LOCK) -> list[Path]:
    """Return the verified jars of the lock file, fetching into `folder` what it lacks.

    Raises:
        ServiceFailed: a jar cannot be fetched, or is not the one that was locked.
    """
    from jgo.env import LockFile

    lock = LockFile.load(lock_file)
    paths = {dep: folder / _relative(dep) for dep in lock.dependencies}
    if missing := [dep for dep, path in paths.items() if not path.exists()]:
        _fetch(missing, folder)
    if errors := lock.verify_checksums(folder):
        raise ServiceFailed(f"{errors[0]}; delete that jar below {folder} and try again")
    return list(paths.values())


def _fetch(missing: list["LockedDependency"], folder: Path) -> None:
    from jgo.constants import default_maven_repo
    from jgo.env import LockFile
    from jgo.maven import MavenContext

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
        fresh = Path(name)
        # local_repos: what Maven has already fetched on this machine is copied, not fetched.
        context = MavenContext(repo_cache=fresh, local_repos=[default_maven_repo()], timeout=60)
        for dep in missing:
            _fetch_one(context, dep, fresh / _relative(dep))
        if errors := LockFile(missing).verify_checksums(fresh):
            raise ServiceFailed(f"{errors[0]}; the download is not what was locked, not used")
        for dep in missing:
            target = folder / _relative(dep)
            target.parent.mkdir(parents=True, exist_ok=True)
            (fresh / _relative(dep)).replace(target)


def _fetch_one(context: "MavenContext", dep: "LockedDependency", target: Path) -> None:
    component = context.project(dep.groupId, dep.artifactId).at_version(dep.version)
    try:
        path = component.artifact(dep.classifier or "", dep.packaging).resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        where = ", ".join(context.remote_repos.values())
        raise ServiceFailed(
            f"cannot fetch {dep.artifactId} {dep.version} from {where}: {error}; "
            "the first start needs the network, later ones do not"
        ) from None
    if path != target:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _relative(dep: "LockedDependency") -> Path:
    suffix = f"-{dep.classifier}" if dep.classifier else ""
    name = f"{dep.artifactId}-{dep.version}{suffix}.{dep.packaging}"
    return Path(*dep.groupId.split("."), dep.artifactId, dep.version, name)


def relock(
    folder: Path, lock_file: Path = LOCK, roots: Sequence[str] = ROOTS, alone: bool = False
) -> int:
    """Resolve the roots anew, rewrite the lock file and return how many jars it holds.

    `alone` leaves out what the roots need: they stand beside Kafka's jars, which have it all.
    """
    from jgo.env import LockFile
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, timeout=60)
    wanted = [context.create_dependency(root) for root in roots]
    given, needed = context.resolver.resolve(wanted)
    jars = given if alone else given + needed
    LockFile.from_resolved_dependencies(jars, min_java_version=17).save(lock_file)
    return len(jars)


if __name__ == "__main__":
    relock(cache(os.environ))
