"""The settings, where nothing else is said with the services that `headwater up` has started."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from contracts import settings as contract
from contracts.settings import Settings
from headwater.local import record


def settings(environ: Mapping[str, str]) -> Settings:
    """Return what environment and file say; the local services fill in what neither says.

    Raises:
        SettingsError: as `contracts.settings.read`.
    """
    given = contract.read(environ)
    return msgspec.structs.replace(given, **_found(given, contract.origins(environ)))


def origins(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where each setting comes from; `headwater up` where it started the service."""
    known = contract.origins(environ)
    found = _found(contract.read(environ), known)
    return known | dict.fromkeys(found, "headwater up")


def _found(given: Settings, origin: dict[str, str]) -> dict[str, str]:
    home = Path(given.home)
    running = record.read(home)
    found = {name: service.address for name, service in running.items()}
    # The key belongs to the state: it is of use only with the Redis that holds that state.
    if "redis" in found and origin["redis"] == "default":
        found["snapshot_key"] = record.key(home)
    return {n: value for n, value in found.items() if value and origin[n] == "default"}
