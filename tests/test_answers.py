"""What is read out: own list, else trending, else a line that says there is nothing."""

import asyncio
import io
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from rich.console import Console

from contracts import keys
from contracts.errors import InputError, RedisAway, SettingsError
from contracts.settings import Settings
from headwater import cli, watch
from headwater.commands import recommend, similar
from state.answers import Answers
from state.connection import away, connect, ping
from streams.worker.startup import wait_for_redis

ITEMS = [{"item": "tea", "score": 2.5, "because": "with jam"}, {"item": "oat", "score": 1.0}]


@pytest.fixture
def store(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis) as client:
        yield client


def command(module: Any, settings: Settings, *args: str) -> int:
    parser = ArgumentParser()
    module.add(parser.add_subparsers())
    code: int = module.run(parser.parse_args([module.__name__.rpartition(".")[2], *args]), settings)
    return code


def put(store: redis.Redis, key: str, value: dict[str, Any]) -> None:
    store.set(key, json.dumps(value))


def put_list(store: redis.Redis, settings: Settings, user: str, ts: float = 5.0) -> None:
    value = {"user": user, "items": ITEMS, "version": 3, "ts": ts}
    put(store, keys.REC.at(settings.key_prefix, user=user), value)


def test_a_user_reads_their_own_list(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    put_list(store, settings, "ann:1")
    assert command(recommend, settings, "ann:1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"source": "own", "items": ITEMS, "user": "ann:1", "version": 3, "ts": 5.0}
    assert command(recommend, settings, "ann:1") == 0
    shown = capsys.readouterr().out
    assert "ann:1: version 3" in shown
    assert "with jam" in shown


def test_a_stranger_reads_what_is_trending_and_is_told_so(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    put(store, keys.TOP.at(settings.key_prefix), {"items": ITEMS, "ts": 5.0})
    notes = {recommend: "no list of their own yet", similar: "nothing goes with it yet"}
    for module, note in notes.items():
        assert command(module, settings, "bob") == 0
        shown = capsys.readouterr().out
        assert f"bob: {note}; trending" in shown
        assert "tea" in shown


def test_a_stranger_reads_the_list_of_the_first_segment_that_has_one(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    put(store, keys.TOP.at(settings.key_prefix), {"items": ITEMS, "ts": 5.0})
    key = keys.TOP_IN.at(settings.key_prefix, segment="country=de")
    put(store, key, {"items": ITEMS[1:], "ts": 5.0})
    asked = ["--segment", "device=a:b", "--segment", "country=de"]
    assert command(recommend, settings, "bob", *asked) == 0
    assert "bob: no list of their own yet; country=de, as of 1970" in capsys.readouterr().out
    assert command(recommend, settings, "bob", "--segment", "device=a:b", "--json") == 0
    assert json.loads(capsys.readouterr().out)["source"] == "trending"
    put_list(store, settings, "bob")
    assert command(recommend, settings, "bob", *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["source"] == "own"


def test_without_a_segment_it_is_that_which_users_tells(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"user": "bob", "segments": ["plan=pro", "country=de"]}
    put(store, keys.SEGMENTS_OF.at(settings.key_prefix, user="bob"), told)
    key = keys.TOP_IN.at(settings.key_prefix, segment="country=de")
    put(store, key, {"items": ITEMS, "ts": 5.0})
    assert command(recommend, settings, "bob", "--json") == 0
    expected = {"source": "segment", "items": ITEMS, "user": "bob", "ts": 5.0}
    assert json.loads(capsys.readouterr().out) == {**expected, "segment": "country=de"}


@pytest.mark.parametrize("text", ["de", "country=", "plan=pro"])
def test_what_is_no_segment_is_refused_in_one_line(
    settings: Settings, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('segments.context = ["country"]\n', encoding="utf-8")
    known = msgspec.structs.replace(settings, pipeline=str(file))
    with pytest.raises(InputError, match="no segment"):
        command(recommend, known, "bob", "--segment", text)


def test_an_empty_redis_gives_one_line(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(recommend, settings, "bob") == 0
    assert capsys.readouterr().out.count("\n") == 1


EVIL = "tea\x1b[2J\x07\x9b31m\u202e\u2066\n"


def test_ids_cannot_speak_to_the_terminal(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"item": EVIL, "score": 1.0, "because": EVIL}]
    value = {"user": EVIL, "items": items, "version": 3, "ts": 5.0}
    put(store, keys.REC.at(settings.key_prefix, user=EVIL), value)
    put(store, keys.SIM.at(settings.key_prefix, item=EVIL), {"items": items, "ts": 5.0})
    for module, *more in ((recommend,), (similar,), (recommend, "--json")):
        assert command(module, settings, EVIL, *more) == 0
        out = capsys.readouterr().out
        assert not set("\x1b\x07\x9b\u202e\u2066") & set(out)
    assert json.loads(out)["items"] == items
    with Answers(settings) as answers:
        paper = io.StringIO()
        console = Console(file=paper, width=80)
        console.print(watch._list(answers.recommend(EVIL), None))
        shown = paper.getvalue()
    assert "tea�[2J��31m" in shown
    assert not set("\x1b\x07\x9b\u202e\u2066") & set(shown)


def test_similar_items_are_read(
    settings: Settings, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"item": "jam", "items": [{"item": "tea", "score": 0.5}], "ts": 5.0}
    put(store, keys.SIM.at(settings.key_prefix, item="jam"), value)
    assert command(similar, settings, "jam", "--json") == 0
    expected = {"source": "own", "item": "jam", "items": value["items"], "ts": 5.0}
    assert json.loads(capsys.readouterr().out) == expected


def test_the_newest_lists_are_found(settings: Settings, store: redis.Redis) -> None:
    for n in range(20):
        put_list(store, settings, f"user{n}", ts=float(n))
    with Answers(settings) as answers:
        assert [a.user for a in answers.newest(3)] == ["user19", "user18", "user17"]
        assert [a.user for a in answers.lists(["user3", "nobody", "user1"])] == ["user3", "user1"]


def test_a_redis_that_is_away_is_named_without_its_password() -> None:
    settings = Settings(redis="redis://:secret@127.0.0.1:1/0")
    with Answers(settings) as answers, pytest.raises(RedisAway) as error:
        answers.recommend("ann")
    assert "redis://***@127.0.0.1:1/0" in str(error.value)
    assert "secret" not in str(error.value)


HIDDEN = [
    "redis://:hunter2@127.0.0.1:1/0",
    "redis://127.0.0.1:1/0?password=hunter2",
    "redis://127.0.0.1:1/0?db=0&password=a@hunter2",
    "redis://127.0.0.1:1/0?password=a&hunter2;hunter2#hunter2",
    "redis://:hunter2/hunter2@127.0.0.1:1/0",
    "redis://:hunter2?hunter2@127.0.0.1:1/0",
    "redis://:hunter2#hunter2@127.0.0.1:1/0",
    "redis://:12/hunter2@127.0.0.1:1/0",
    "redis://[::hunter2",
    "redis://127.0.0.1:hunter2",
    "http://:hunter2@127.0.0.1",
    ":hunter2@127.0.0.1",
    "redis://127.0.0.1:1/0?socket_timeout=hunter2",
]


@pytest.mark.parametrize("url", HIDDEN)
def test_no_part_of_a_password_is_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADWATER_REDIS", url)
    monkeypatch.setenv("HEADWATER_WAIT_S", "0.1")
    for argv in (["settings"], ["recommend", "ann"]):
        cli.main(argv)
    with pytest.raises((SettingsError, RedisAway)) as error:
        asyncio.run(_answers_at_the_start(Settings(redis=url, wait_s=0.1)))
    shown = capsys.readouterr()
    assert "hunter2" not in shown.out + shown.err + str(error.value)


async def _answers_at_the_start(settings: Settings) -> None:
    client = connect(settings)
    try:
        await wait_for_redis(lambda: ping(client), away(), settings)
    finally:
        await client.aclose()


def test_a_url_that_is_none_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="HEADWATER_REDIS must be a URL"):
        Answers(msgspec.structs.replace(Settings(), redis="nowhere"))
