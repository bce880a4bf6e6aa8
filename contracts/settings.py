"""Every setting, read once from the environment and an optional TOML file.

The environment wins over the file, the file over the defaults. `HEADWATER_LIST_LENGTH=5` and
`list_length = 5` in the file that `HEADWATER_CONFIG` names are the same setting.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from contracts.errors import SettingsError

PREFIX = "HEADWATER_"


def _doc(text: str, **bounds: Any) -> msgspec.Meta:
    return msgspec.Meta(description=text, **bounds)


SECRETS = frozenset({"snapshot_key"})
SHORTEST_KEY = 16  # characters; a shorter one can be guessed


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker and its commands are told. Units live in the names."""

    kafka: Annotated[str, _doc("addresses of the brokers, host:port, comma separated")] = (
        "127.0.0.1:9092"
    )
    redis: Annotated[str, _doc("URL of the Redis that holds state and answers")] = (
        "redis://127.0.0.1:6379/0"
    )
    group: Annotated[str, _doc("consumer group of the workers", min_length=1)] = "headwater"
    topic_prefix: Annotated[str, _doc("stands before every topic's name")] = ""
    key_prefix: Annotated[str, _doc("stands before every Redis key")] = "hw:"
    partitions: Annotated[int, _doc("partitions of `interactions`", ge=1, le=1024)] = 4
    replication: Annotated[int, _doc("copies of each topic on the brokers", ge=1)] = 1
    partitioner: Annotated[
        Literal["murmur2", "crc32"], _doc("how all producers place a user on a partition")
    ] = "murmur2"
    list_length: Annotated[int, _doc("items in a list", ge=1, le=96)] = 20
    pipeline: Annotated[
        str, _doc("TOML file or `package.module:name` of the pipeline; empty is the default one")
    ] = ""
    repeats: Annotated[
        Literal["learn", "always", "never"],
        _doc("whether a list may hold items the user already chose; `learn`: the stream decides"),
    ] = "learn"
    list_age_s: Annotated[int, _doc("age at which a list leaves Redis", ge=1)] = 30 * 86_400
    refresh_after_s: Annotated[
        float, _doc("age, in time of events, at which a list is ranked anew in idle time", gt=0)
    ] = 3_600.0
    refresh_share: Annotated[
        float, _doc("share of the time spent on that at most; 0 is never", ge=0, le=1)
    ] = 0.1
    scenario_age_s: Annotated[
        float,
        _doc("how long a scenario's list is made for who has looked for it", ge=1, le=30 * 86_400),
    ] = 3_600.0
    similar_every_s: Annotated[float, _doc("least time between two `hw:sim` of one item", ge=0)] = (
        1.0
    )
    users_capacity: Annotated[int, _doc("users remembered per partition", ge=1)] = 200_000
    items_capacity: Annotated[int, _doc("items remembered per worker", ge=1)] = 200_000
    history_length: Annotated[int, _doc("last items remembered per user", ge=1, le=255)] = 20
    seen_length: Annotated[int, _doc("items known exactly per user as seen", ge=16, le=65_536)] = (
        1_024
    )
    fresh_sample: Annotated[
        float, _doc("share of events judged on a fresh list too; softmax judges all", ge=0, le=1)
    ] = 0.1
    duplicates_window: Annotated[
        int, _doc("event ids remembered per partition, to know producer retries", ge=0)
    ] = 10_000
    # Passed on with key and headers, it must stay below the 1 MiB that a broker takes.
    max_message_bytes: Annotated[int, _doc("largest message that is used", ge=64, le=900_000)] = (
        65_536
    )
    predictors: Annotated[
        dict[str, str], _doc("predictors by name, each a `package.module:factory`")
    ] = {}
    pending_capacity: Annotated[
        int, _doc("features of a predictor that may wait for their label", ge=1)
    ] = 10_000
    snapshot_every_s: Annotated[float, _doc("time between two snapshots", gt=0)] = 5.0
    snapshots_kept: Annotated[int, _doc("snapshots kept per partition", ge=1)] = 2
    versions_every_s: Annotated[
        float, _doc("time between two older snapshots to go back to", ge=1, le=7 * 86_400)
    ] = 3_600.0
    versions_kept: Annotated[
        int, _doc("older snapshots kept to go back to, beside the newest", ge=0, le=1_000)
    ] = 4
    snapshot_key: Annotated[str, _doc("secret that signs snapshots")] = ""
    watchdog_s: Annotated[float, _doc("lag without progress for so long ends the worker", gt=0)] = (
        60.0
    )
    wait_s: Annotated[float, _doc("how long commands wait for Kafka and Redis to answer", gt=0)] = (
        20.0
    )
    metrics_port: Annotated[
        int, _doc("port of /metrics, /healthz and /readyz; 0 takes a free one", ge=0, le=65_535)
    ] = 9464
    metrics_host: Annotated[str, _doc("address that the worker's metrics port binds to")] = (
        "127.0.0.1"
    )
    page_port: Annotated[int, _doc("port of the live page; 0 is a free one", ge=0, le=65_535)] = (
        8089
    )
    home: Annotated[str, _doc("folder of the local Kafka and Redis and their data")] = ".headwater"

    def __repr__(self) -> str:
        """Show every setting, secrets masked."""
        return f"Settings({', '.join(f'{n}={v!r}' for n, v in shown(self).items())})"


TYPES: dict[str, Any] = get_type_hints(Settings, include_extras=True)


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment, and the file it names, give.

    >>> read({"HEADWATER_LIST_LENGTH": "5"}).list_length
    5

    Raises:
        SettingsError: a value is wrong, a name unknown, or the file unreadable.
    """
    return msgspec.structs.replace(Settings(), **_given(environ)[0])


def origins(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where each setting comes from: `environment`, the file's path, or `default`."""
    return _given(environ)[1]


def shown(settings: Settings) -> dict[str, Any]:
    """Return every setting by name; secrets, and who logs in with which password, are masked."""
    return {n: _masked(n, value) for n, value in msgspec.structs.asdict(settings).items()}


def masked(url: str) -> str:
    """Return a URL without who logs in and without the values in its query.

    Of what cannot be read as a URL only the scheme is left: any of it may be a password.

    >>> masked("redis://me:secret@host:6379/0?password=secret&db=1")
    'redis://***@host:6379/0?password=***&db=***'
    >>> masked("redis://:sec/ret@host:6379")
    'redis://***'
    """
    try:
        parts = urlsplit(url)
        readable = parts.port is not None or ":" not in parts.netloc.rpartition("@")[2]
    except ValueError:
        readable = False
    if not readable or not parts.scheme or parts.fragment or "@" in parts.path:
        return f"{url.partition('://')[0]}://***" if "://" in url else "***"
    _, login, host = parts.netloc.rpartition("@")
    query = re.sub(r"(^|&)(?:(\w+=)|)[^&]*", r"\1\2***", parts.query) if parts.query else ""
    return f"{parts.scheme}://{'***@' * bool(login)}{host}{parts.path}" + (
        f"?{query}" if query else ""
    )


def _masked(name: str, value: Any) -> Any:
    if name in SECRETS and value:
        return "***"
    if name == "redis":
        return masked(value) if isinstance(value, str) else "***"
    return re.sub(r"://.*@", "://***@", value) if isinstance(value, str) else value


def describe(name: str) -> tuple[str, str]:
    """Return what a setting's type and bounds are, in words, and what it is for."""
    type_, meta = get_args(TYPES[name])
    return _spell(type_) + _bounds(meta), str(meta.description)


def _given(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origin = dict.fromkeys(TYPES, "default")
    path = environ.get(PREFIX + "CONFIG", "")
    if path:
        for name, value in _file(path).items():
            if name not in TYPES:
                raise SettingsError(f"{path}: unknown setting '{name}'; see `headwater settings`")
            values[name], origin[name] = _convert(name, value, name), path
    for name in TYPES:
        variable = PREFIX + name.upper()
        if variable in environ:
            values[name] = _convert(name, environ[variable], variable)
            origin[name] = "environment"
    return values, origin


def _file(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{PREFIX}CONFIG={path}: {error.strerror}; name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def _convert(name: str, value: Any, where: str) -> Any:
    type_, meta = get_args(TYPES[name])
    try:
        if get_origin(type_) is dict:
            value = _pairs(value) if isinstance(value, str) else value
        found = msgspec.convert(value, Annotated[type_, meta], strict=False)
        _check(name, found)
    except (msgspec.ValidationError, ValueError) as error:
        got = "a secret" if name in SECRETS else repr(_masked(name, value))
        raise SettingsError(
            f"{where} must be {describe(name)[0]} ({meta.description}), got {got}: {error}"
        ) from None
    return found


def _pairs(text: str) -> dict[str, str]:
    """Return `name=value,name=value` as a dict; nothing that is not a pair is passed over."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    for name, equals, value in pairs:
        if not equals:
            raise ValueError(f"'{name.strip()}' has no =")
        if not name.strip() or not value.strip():
            raise ValueError(f"'{name}={value}' lacks a name or a value")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _check(name: str, value: Any) -> None:
    if isinstance(value, dict) and not all(n and v for n, v in value.items()):
        raise ValueError("a name or a value is empty")
    if name == "snapshot_key" and 0 < len(value) < SHORTEST_KEY:
        raise ValueError(
            f"it has fewer than {SHORTEST_KEY} characters; make one with `openssl rand -hex 32`"
        )


def _bounds(meta: msgspec.Meta) -> str:
    words = {"≥": meta.ge, ">": meta.gt, "≤": meta.le}
    return " and".join(f" {sign} {bound}" for sign, bound in words.items() if bound is not None)


def _spell(type_: Any) -> str:
    if get_origin(type_) is Literal:
        return " or ".join(get_args(type_))
    if get_origin(type_) is dict:
        return "name=value,name=value"
    return str(type_.__name__)
