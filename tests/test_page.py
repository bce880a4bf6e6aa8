"""The live page in a real Chromium: what it shows, what it asks for and what it says when alone."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from contracts import metrics
from serving.live import Point
from serving.page import charts
from tests.page_world import TITLE, World, chromium, get, world

WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


class Visit:
    """A browser's page, every host it asked, and every error it told."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._said(said.type, said.text))

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(url).netloc)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)


@pytest.fixture
def visit(browser: Browser, running: World) -> Iterator[Visit]:
    running.trend("tea", "jam")
    running.publish("ann", "tea", "jam")
    running.learn(100, 0.32)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    found = Visit(page)
    page.goto(running.url)
    expect(page.locator(".hw-banner")).to_be_hidden()
    yield found
    page.close()


def look_up(page: Page, user: str) -> None:
    page.get_by_label("user id").fill(user)
    page.keyboard.press("Enter")


def test_the_list_of_a_scenario_can_be_looked_up(visit: Visit, running: World) -> None:
    running.publish("kim", "lamp", "rope")
    running.publish("kim", "honey", "jam", scenario="breakfast")
    found = visit.page.locator(".hw-found")
    look_up(visit.page, "kim")
    expect(found.locator("tbody tr").first).to_contain_text("lamp")
    visit.page.get_by_label("list", exact=True).click()
    visit.page.get_by_role("option", name="breakfast").click()
    expect(found.locator("tbody tr").first).to_contain_text("honey")
    assert visit.errors == []


def test_no_host_but_the_page_itself_is_asked_for_anything(visit: Visit, running: World) -> None:
    expect(visit.page.locator(".hw-chart canvas")).to_have_count(3)
    visit.page.wait_for_load_state("networkidle")
    assert visit.hosts == {urlsplit(running.url).netloc}
    assert visit.errors == []


def test_the_figures_are_those_of_the_worker(visit: Visit, running: World) -> None:
    tiles = visit.page.locator(".hw-tile")
    running.learn(1000, 0.41)
    running.telemetry.count(metrics.DEAD_LETTERS, reason="not_json")
    running.telemetry.count(metrics.EVENTS, 3, topic="interactions", outcome="dead_letter")
    expect(tiles.filter(has_text="Lag")).to_contain_text("42")
    expect(tiles.filter(has_text="HR@10")).to_contain_text("0.410")
    expect(tiles.filter(has_text="HR@10")).to_contain_text("popularity alone: 0.102")
    expect(tiles.filter(has_text="Dead letters")).to_contain_text("3")
    expect(tiles.filter(has_text="Freshness p99")).to_contain_text(re.compile(r"\d+\.\d"))
    expect(tiles.filter(has_text="Events per second")).to_contain_text(re.compile(r"[1-9]"))


def test_what_the_data_are_stands_under_the_heading(visit: Visit) -> None:
    expect(visit.page.locator(".hw-about")).to_have_text(TITLE)


def test_reasons_are_shown_whole_and_three_users_beside_each_other(
    visit: Visit, running: World
) -> None:
    for user in ("ann", "bob", "eve"):
        running.publish(user, "pillow-05", "pillow-06")
    cards = visit.page.locator(".hw-list")
    expect(cards).to_have_count(3)
    assert len({card.bounding_box()["y"] for card in cards.all()}) == 1  # type: ignore[index]
    cut = "spans => spans.filter(s => s.scrollHeight > s.clientHeight + 1).length"
    assert visit.page.locator(".hw-why").evaluate_all(cut) == 0


def test_trending_items_have_their_share_of_the_top_item(visit: Visit) -> None:
    card = visit.page.locator(".hw-card").filter(has_text="Trending")
    expect(card).to_contain_text("share of the top item")
    expect(card.locator("li span")).to_have_text(["100.0 %", "50.0 %"])


def test_what_the_generators_weigh_is_shown_for_all_users_and_by_history(
    visit: Visit, running: World
) -> None:
    card = visit.page.locator(".hw-card").filter(has_text="Fusion")
    expect(card).to_contain_text("No weights yet")
    running.weigh(metrics.EVERYBODY, recent=0.26, popularity=0.74)
    running.weigh(f"{metrics.HISTORY}:0", recent=0.0, popularity=1.0)
    running.weigh(f"{metrics.HISTORY}:20", recent=0.91, popularity=0.09)
    running.weigh(f"{metrics.HISTORY}:1", recent=0.5, popularity=0.5)
    running.weigh(f"{metrics.GAP_S}:0", recent=0.33, popularity=0.67)
    expect(card.locator("th")).to_have_text(["", "all", "0", "1-19", "20+"])
    expect(card.locator("tbody tr")).to_have_text(
        [re.compile(r"popularity\s*74 %\s*100 %\s*50 %\s*9 %"), re.compile(r"recent\s*26 %")]
    )


def test_groups_are_shown_and_who_gets_too_little_is_marked(visit: Visit, running: World) -> None:
    card = visit.page.locator(".hw-groups")
    expect(card).to_be_hidden()
    running.serve("large", hits=0.4, low=0.38, high=0.42, places=0.9, choices=0.8)
    running.serve(
        "<b>small", hits=0.2, low=0.17, high=0.23, places=0.1, choices=0.2, short="places"
    )
    expect(card.locator("h3")).to_have_text("maker")
    expect(card.locator("tbody tr")).to_have_text(
        [
            re.compile(r"<b>small\s*0.200\s*0.170-0.230\s*10.0 % too little\s*20.0 %\s*1.10"),
            re.compile(r"large\s*0.400\s*0.380-0.420\s*90.0 %\s*80.0 %\s*1.10"),
        ]
    )
    expect(card.locator("p")).to_have_count(0)
    for list_, value in (("given", 0.351), ("free", 0.3)):
        running.telemetry.set(metrics.FLOOR_HITS, value, list=list_)
    expect(card.locator("p")).to_have_text("HR@10 with floors 0.351, without 0.300")
    assert visit.errors == []


def test_a_drift_is_counted(visit: Visit, running: World) -> None:
    running.telemetry.count(metrics.DRIFTS, model="lists")
    expect(visit.page.locator(".hw-tile").filter(has_text="Drifts")).to_contain_text("1")


def test_a_list_changes_before_the_eyes_of_the_visitor(visit: Visit, running: World) -> None:
    card = visit.page.locator(".hw-list").filter(has_text="ann")
    expect(card).to_contain_text("tea")
    running.publish("ann", "oat", "tea")
    expect(card.locator("li.hw-new")).to_have_text([re.compile("oat goes with item-7")])


def test_trending_items_are_shown_best_first(visit: Visit) -> None:
    trending = visit.page.locator(".hw-card").filter(has_text="Trending").locator("li")
    expect(trending).to_have_text([re.compile("tea"), re.compile("jam")])


def test_a_look_up_gives_the_list_the_scores_and_why(visit: Visit, running: World) -> None:
    running.publish("100%:eve", "tea", "jam")
    look_up(visit.page, "100%:eve")
    found = visit.page.locator(".hw-found")
    expect(found).to_contain_text("100%:eve: version")
    expect(found.locator("tbody tr")).to_have_text(
        [re.compile(r"1\s*tea\s*3\.2\s*goes with item-7"), re.compile(r"2\s*jam\s*1\.6")]
    )


def test_a_looked_up_list_goes_on_changing(visit: Visit, running: World) -> None:
    look_up(visit.page, "ann")
    running.publish("ann", "rye", "tea")
    expect(visit.page.locator(".hw-found")).to_contain_text("rye")


def test_someone_without_a_list_is_shown_what_is_trending(visit: Visit) -> None:
    look_up(visit.page, "nobody")
    expect(visit.page.locator(".hw-found")).to_contain_text("nobody has no list of their own")
    expect(visit.page.locator(".hw-found tbody")).to_contain_text("tea")


def test_what_strangers_write_is_shown_as_text_and_never_run(visit: Visit, running: World) -> None:
    evil = "<img src=x onerror=\"document.title='run'\"><script>1</script>'"
    running.trend(evil)
    running.publish(evil, evil)
    look_up(visit.page, evil)
    expect(visit.page.locator(".hw-found tbody")).to_contain_text(evil)
    expect(visit.page.locator(".hw-card").filter(has_text="Trending")).to_contain_text(evil)
    assert visit.page.title() == "Headwater"
    running.client.flushall()


def test_nothing_is_cut_off_on_a_phone(browser: Browser, running: World) -> None:
    running.publish("a-user-with-an-id-as-long-as-" + "x" * 100, "tea" * 60)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(running.url)
    expect(page.locator(".hw-list").first).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    running.client.flushall()
    assert wide <= 390


def test_a_name_of_another_site_that_leads_here_is_refused(running: World) -> None:
    assert get(running.url, "evil.example")[0] == 400
    assert get(running.url, "localhost")[0] == 200


def test_the_page_says_that_the_worker_waits(visit: Visit, running: World) -> None:
    running.telemetry.set(metrics.WAITING, 1, service="kafka")
    expect(visit.page.locator(".hw-banner")).to_contain_text("The worker waits for kafka")
    running.telemetry.set(metrics.WAITING, 0, service="kafka")
    expect(visit.page.locator(".hw-banner")).to_be_hidden()


def test_the_page_says_that_redis_is_away_and_goes_on_when_it_is_back(
    visit: Visit, running: World
) -> None:
    running.redis.kill()
    expect(visit.page.locator(".hw-banner")).to_contain_text("Waiting for Redis")
    look_up(visit.page, "ann")
    expect(visit.page.locator(".hw-found")).to_contain_text("no Redis answers")
    running.redis.restart()
    running.publish("ann", "tea")
    expect(visit.page.locator(".hw-banner")).to_be_hidden()
    expect(visit.page.locator(".hw-found")).to_contain_text("tea")


def test_the_page_says_that_no_worker_answers_and_where(visit: Visit, running: World) -> None:
    running.endpoint.stop()
    banner = visit.page.locator(".hw-banner")
    expect(banner).to_contain_text("No worker answers")
    expect(banner).to_contain_text(f"{running.endpoint.url}/metrics")
    expect(visit.page.locator(".hw-tile").filter(has_text="HR@10")).to_contain_text("-")


def test_long_histories_are_thinned_and_keep_the_newest_point() -> None:
    few = charts.thinned([Point(float(n)) for n in range(901)])
    assert len(few) <= charts.POINTS
    assert few[-1].at == 900.0


def test_a_drift_is_a_line_at_its_time_and_unknown_values_are_gaps() -> None:
    now = time.time()
    chart = charts.hit_rate([Point(now), Point(now + 1, hr_at_10=0.5)], [now - 9, now + 1])
    ours = chart["series"][0]
    assert ours["markLine"]["data"] == [{"xAxis": 1000 * (now + 1)}]
    assert [value for _, value in ours["data"]] == [None, 0.5]


def test_of_drifts_close_together_one_has_its_name() -> None:
    points = [Point(100.0), Point(200.0)]
    lines = charts.hit_rate(points, [120.0, 121.0, 150.0])["series"][0]["markLine"]["data"]
    assert ["label" in line for line in lines] == [False, True, False]


def test_the_page_imports_nothing_that_learns_or_streams() -> None:
    for path in (Path(__file__).parent.parent / "serving").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (learners|streams|headwater)\b", path.read_text())
