"""What stands in Redis under a person's own id, found without looking through anything else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from contracts import keys, pipeline
from contracts.settings import Settings
from state.connection import refusals_pass

if TYPE_CHECKING:
    from redis.asyncio import Redis


def own_keys(settings: Settings, user: str) -> list[str]:
    """Return the keys that bear a person's id.

    >>> own_keys(Settings(predictors={"elec": "mine:elec"}), "ann")
    ['hw:rec:ann', 'hw:segments:ann', 'hw:pred:elec:ann', 'hw:pending:elec:ann']

    Raises:
        SettingsError: the pipeline, which names the scenarios, cannot be read.
    """
    scenarios = pipeline.read(settings.pipeline).scenarios
    return keys_of(settings.key_prefix, user, scenarios, settings.predictors)


def keys_of(
    prefix: str, user: str, scenarios: Iterable[str], predictors: Iterable[str]
) -> list[str]:
    """Return the same, where scenarios and predictors are at hand."""
    of_predictors = [
        key.at(prefix, predictor=name, id=user)
        for name in predictors
        for key in (keys.PRED, keys.PENDING)
    ]
    told = keys.SEGMENTS_OF.at(prefix, user=user)
    return [*keys.lists_of(prefix, user, scenarios), told, *of_predictors]


@refusals_pass
async def tell_segments(
    client: "Redis", prefix: str, told: Mapping[str, Sequence[str]], age_s: int
) -> None:
    """Let readers know, for so long, of which segments people are; of none: nothing is told."""
    redis: Any = client
    async with redis.pipeline(transaction=False) as pipe:
        for user, segments in told.items():
            key = keys.SEGMENTS_OF.at(prefix, user=user)
            if segments:
                said = {"user": user, "segments": segments}
                pipe.set(key, msgspec.json.encode(said), ex=age_s)
            else:
                pipe.delete(key)
        await pipe.execute()


@refusals_pass
async def held(client: "Redis", names: list[str]) -> dict[str, bytes]:
    """Return what stands under these keys, without those that are not there."""
    redis: Any = client
    found = [(name, await redis.get(name)) for name in names]
    return {name: value for name, value in found if value is not None}


@refusals_pass
async def take_away(client: "Redis", names: list[str]) -> int:
    """Delete these keys; return how many were there."""
    redis: Any = client
    return sum([int(await redis.delete(name)) for name in names])
