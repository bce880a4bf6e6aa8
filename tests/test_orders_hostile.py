"""Whatever comes in `control`: it is an order that was signed, or a dead letter.

`HEADWATER_HOSTILE=1000000` tries more messages than `make test` does.
"""

import os
import random
from collections import Counter

import msgspec

from contracts.control import Control
from contracts.events import REASONS
from contracts.settings import Settings
from streams.control.schedule import Schedule
from streams.control.seal import Seal
from streams.decode import DeadMessage
from streams.shards import PlainRecord
from tests.mutator import BYTES, HUGE, ODD, TEXTS

MESSAGES = int(os.environ.get("HEADWATER_HOSTILE", "60000"))
SEAL = Seal(Settings(snapshot_key="a key for tests only"))
PLAIN = msgspec.to_builtins(
    Control("o", "freeze", {"interactions": {0: 7, 1: 9}}, 1.0, who="ann", why="a test")
)


def message(dice: random.Random) -> tuple[bytes, bool]:
    """Return a value and whether it is signed as it stands."""
    body = dict(PLAIN)
    for _ in range(dice.randrange(3)):
        odd = dice.choice([*ODD, *TEXTS, {"interactions": {"x": 1}}, {"a": {"0": -1}}, 10**30])
        body[dice.choice([*body, "version", "since", "learner", "more"])] = odd
    value = msgspec.json.encode({k: v for k, v in body.items() if not _too_large(v)})
    if dice.random() < 0.5:
        at = dice.randrange(len(value) + 1)
        value = value[:at] + dice.choice([*HUGE, *BYTES, b"[" * 2_000, b""]) + value[at + 1 :]
    return value, dice.random() < 0.7


def _too_large(value: object) -> bool:
    return isinstance(value, int) and value.bit_length() > 64


def test_no_message_is_more_than_an_order_or_a_dead_letter() -> None:
    dice, schedule, found = random.Random(5), Schedule(), Counter[str]()  # noqa: S311 - foreseeable
    for n in range(MESSAGES):
        value, signed = message(dice)
        header = SEAL._signature(value) if signed else dice.choice([b"", *BYTES, b"0" * 64])
        try:
            said = SEAL.read(PlainRecord(n, 0, value, None, [("signature", header)]))
        except DeadMessage as error:
            found[error.dead.reason] += 1
            continue
        assert signed
        schedule.add(n, said)
        schedule.frozen(("lists",), ("interactions",), 0, n) if n % 1000 == 0 else None
        found["order"] += 1
    assert found["order"] > MESSAGES / 10
    assert set(found) - {"order"} <= set(REASONS)
    assert {"not_signed", "not_json", "wrong_type", "missing_field"} & set(found) >= {
        "not_signed", "not_json", "wrong_type",
    }  # fmt: skip
