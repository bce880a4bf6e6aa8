"""The simulated shop: one seed, one stream, with the structure and the change it promises."""

from collections import Counter
from itertools import combinations, islice, pairwise
from typing import Any

from headwater.shop import Change, shop

Events = list[dict[str, Any]]


def pairs(events: Events) -> Counter[tuple[str, str]]:
    last: dict[str, str] = {}
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event["user"] in last:
            found[last[event["user"]], event["item"]] += 1
        last[event["user"]] = event["item"]
    return found


def test_one_seed_gives_one_stream() -> None:
    assert list(shop(1, events=500)) == list(shop(1, events=500))
    assert list(shop(1, events=500)) != list(shop(2, events=500))


def test_time_never_goes_back_and_event_ids_never_come_again() -> None:
    events = list(shop(3, events=5000))
    assert all(a["ts"] <= b["ts"] for a, b in pairwise(events))
    assert len({event["event_id"] for event in events}) == 5000


def test_without_a_number_of_events_it_never_ends() -> None:
    assert len(list(islice(shop(3), 3000))) == 3000


def test_a_small_shop_works_too() -> None:
    assert len(list(shop(3, users=1, items=8, events=100))) == 100


def test_companions_are_chosen_next_to_each_other_far_more_than_chance_would() -> None:
    found = pairs(list(shop(4, events=40_000)))
    top = sum(n for _, n in found.most_common(3 * 640))
    assert top / found.total() > 0.3


def test_people_choose_some_items_again() -> None:
    found = pairs(list(shop(4, events=20_000)))
    again = sum(n for (a, b), n in found.items() if a == b)
    assert again / found.total() > 0.05


def kept(after: Events, before: Events) -> float:
    """Return how often the strong pairs of `before` are in `after`, by how often they were."""
    old, new = pairs(before), pairs(after)
    strong = {pair for pair, _ in old.most_common(1000) if pair[0] != pair[1]}
    return sum(new[pair] for pair in strong) / sum(old[pair] for pair in strong)


def test_a_change_may_come_by_and_by() -> None:
    events = list(shop(5, events=80_000, change=Change(20_000, over=40_000)))
    parts = [events[k : k + 20_000] for k in range(0, 80_000, 20_000)]
    found = [kept(part, parts[0]) for part in parts]
    assert found == sorted(found, reverse=True)
    assert found[1] > 2 * found[3]


def test_the_old_taste_may_return() -> None:
    events = list(shop(5, events=60_000, change=Change(20_000, back=20_000)))
    before, between, after = (events[k : k + 20_000] for k in (0, 20_000, 40_000))
    assert kept(between, before) < 0.3 < 0.6 < kept(after, before)


def test_the_change_of_taste_keeps_the_items_and_breaks_their_pairs() -> None:
    events = list(shop(5, events=60_000, change=Change(30_000)))
    assert events[:30_000] == list(shop(5, events=30_000))
    assert kept(events[30_000:], events[:30_000]) < 0.3
    assert {e["item"] for e in events[:30_000]} == {e["item"] for e in events[30_000:]}


def test_people_of_one_country_choose_much_of_the_same_and_always_come_from_there() -> None:
    events = list(shop(4, events=20_000, segments=True))
    lands = {event["user"]: event["context"]["country"] for event in events}
    assert all(event["context"]["country"] == lands[event["user"]] for event in events)
    chosen = {land: Counter[str]() for land in set(lands.values())}
    for event in events:
        chosen[lands[event["user"]]][event["item"].partition("-")[0]] += 1
    assert set(lands.values()) == {"de", "fr", "it", "at"}
    favourites = [{name for name, _ in found.most_common(8)} for found in chosen.values()]
    assert all(len(one & other) < 3 for one, other in combinations(favourites, 2))


def test_without_segments_it_is_the_stream_that_it_was() -> None:
    assert all("context" not in event for event in shop(4, events=100))
