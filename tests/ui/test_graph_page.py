"""The service graph in the browser."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.ui.looking import Looking
from tests.ui.shop import SERVICES

GRAPH = "/dependencies"


def nodes(page: Page) -> Locator:
    return page.locator("svg [role=button]")


def node(page: Page, name: str) -> Locator:
    escaped = re.escape(name).replace("/", r"\/")  # the end of a pattern, to JavaScript
    return page.get_by_role("button", name=re.compile(rf"^(Service|Database|Queue|Outside host) {escaped}: "))


def names(page: Page) -> set[str]:
    labels = [one.get_attribute("aria-label") or "" for one in nodes(page).all()]
    return {label.partition(": ")[0] for label in labels}


def question_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_services_databases_queues_and_hosts_are_drawn_with_callers_left_of_what_they_call(look: Looking) -> None:
    page = look(GRAPH)
    expect(node(page, "gateway")).to_be_visible()

    shown = names(page)
    assert {f"Service {name}" for name in SERVICES} <= shown
    assert {"Database redis/cache", "Queue kafka/orders", "Outside host api.stripe.com"} <= shown
    way = ["gateway", "checkout", "payment", "fraud", "postgresql/fraud"]
    lefts = [(node(page, name).bounding_box() or {"x": -1})["x"] for name in way]
    assert lefts == sorted(lefts), lefts
    assert len(set(lefts)) == len(way)


def test_no_two_nodes_cover_each_other(look: Looking) -> None:
    page = look(GRAPH)
    expect(nodes(page).first).to_be_visible()

    boxes = [one.locator(".graph-box").bounding_box() for one in nodes(page).all()]
    for at, a in enumerate(boxes):
        for b in boxes[at + 1 :]:
            assert a is not None
            assert b is not None
            apart = (
                a["x"] + a["width"] <= b["x"] + 1
                or b["x"] + b["width"] <= a["x"] + 1
                or a["y"] + a["height"] <= b["y"] + 1
                or b["y"] + b["height"] <= a["y"] + 1
            )
            assert apart, (a, b)


def test_the_table_says_the_same_as_text_and_sorts_by_each_column(look: Looking) -> None:
    page = look(f"{GRAPH}?view=table")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()

    calls = [int(row.get_by_role("cell").nth(2).inner_text().replace(",", "")) for row in rows.all()[1:]]
    assert calls == sorted(calls, reverse=True)
    assert page.get_by_role("columnheader", name="Calls", exact=True).get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Caller").click()
    callers = [row.get_by_role("cell").nth(0).inner_text() for row in rows.all()[1:]]
    assert callers == sorted(callers)
    page.get_by_role("button", name="Graph", exact=True).click()
    expect(nodes(page).first).to_be_visible()
    assert "view" not in question_of(page)


def test_a_focus_leaves_the_neighbourhood_and_stands_in_the_address(look: Looking) -> None:
    page = look(GRAPH)
    node(page, "payment").click()
    page.get_by_role("complementary").get_by_role("button", name="Focus here").click()

    expect(nodes(page).filter(has_text="ads")).to_have_count(0)
    page.get_by_label("Hops").select_option("1")
    expect(nodes(page)).to_have_count(4)
    assert names(page) == {"Service checkout", "Service payment", "Service fraud", "Outside host api.stripe.com"}
    page.get_by_label("Direction").select_option("callers")
    expect(nodes(page)).to_have_count(2)

    page.reload()

    expect(nodes(page)).to_have_count(2)
    assert question_of(page)["focus"] == ["service:payment"]


def test_kinds_and_few_calls_are_left_out_when_told(look: Looking) -> None:
    page = look(GRAPH)
    expect(node(page, "redis/cache")).to_be_visible()

    page.get_by_role("checkbox", name="Database").uncheck()
    expect(node(page, "redis/cache")).to_have_count(0)
    expect(node(page, "kafka/orders")).to_be_visible()
    page.get_by_label("Least calls").fill("1000000")

    expect(page.get_by_text("Nothing is left of the graph")).to_be_visible()
    page.get_by_role("button", name="Reset the filters").click()
    expect(node(page, "redis/cache")).to_be_visible()


def test_a_name_is_found_by_typing_a_part_of_it(look: Looking) -> None:
    page = look(GRAPH)
    expect(node(page, "warehouse")).to_be_visible()

    page.get_by_role("combobox", name="Focus on a service").click()
    page.keyboard.type("ware")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
    page.keyboard.press("Enter")

    expect(page.get_by_label("Hops")).to_be_visible()
    assert question_of(page)["focus"] == ["postgresql/warehouse"]


def test_an_edge_tells_its_calls_errors_and_latencies_and_leads_to_its_traces(look: Looking) -> None:
    page = look(GRAPH)
    expect(node(page, "checkout")).to_be_visible()

    edge = page.locator('[data-edge="service:checkout → service:payment"] .graph-edge-catch')
    edge.dispatch_event("pointerover")
    expect(page.locator(".graph-tip")).to_contain_text("p95")
    edge.dispatch_event("click")

    details = page.get_by_role("complementary", name="Details")
    expect(details).to_contain_text(re.compile(r"p50\s*[\d.]+ ms"))
    details.get_by_role("link", name="Find slow traces").click()
    asked = question_of(page)
    assert urlsplit(page.url).path == "/search"
    assert asked["service"] == ["payment"]
    assert re.fullmatch(r"[0-9]+(us|ms|s)", asked["minDuration"][0])
    assert int(asked["end"][0]) - int(asked["start"][0]) >= 3600 * 10**6


def test_a_nodes_neighbours_are_a_list_that_leads_on(look: Looking) -> None:
    page = look(GRAPH)
    node(page, "payment").click()
    details = page.get_by_role("complementary", name="Details")

    expect(details.get_by_role("heading", name="payment")).to_be_visible()
    details.get_by_role("button", name="api.stripe.com", exact=False).first.click()

    expect(details.get_by_role("heading", name="api.stripe.com")).to_be_visible()
    details.get_by_role("link", name="Find failed traces").click()
    assert question_of(page)["tags"] == ['{"error":"true"}']
    assert question_of(page)["service"] == ["payment"]


def test_keys_walk_from_node_to_node_open_one_and_zoom(look: Looking) -> None:
    page = look(GRAPH)
    node(page, "gateway").focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith(("Service frontend", "Service checkout"))

    before = page.locator(".graph-canvas > g").get_attribute("transform")
    page.keyboard.press("+")
    expect(page.locator(".graph-canvas > g")).not_to_have_attribute("transform", before or "")
    page.keyboard.press("0")
    expect(page.locator(".graph-canvas > g")).to_have_attribute("transform", before or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Details")).to_have_count(0)


def test_only_one_node_is_reached_by_tab(look: Looking) -> None:
    page = look(GRAPH)
    expect(nodes(page).first).to_be_visible()

    assert page.locator("svg [role=button][tabindex='0']").count() == 1


def test_zipkins_link_with_its_times_lands_in_that_range(look: Looking) -> None:
    page = look("/zipkin/dependency?startTime=1000000&endTime=2000000", door="zipkin")

    expect(page).to_have_url(re.compile(r"/zipkin/dependencies\?"))
    expect(page.get_by_label("Time range")).to_have_value("custom")
    expect(page.get_by_text("No calls in this time range")).to_be_visible()


def a_graph_of(services: int) -> dict[str, object]:
    """Layers of services that call the next layer, as large meshes are: three calls each, some over several layers."""
    layers = 7
    nodes = [{"name": f"service-{n:03d}", "kind": "service", "instrumented": True} for n in range(services)]
    edges = []
    for n in range(services):
        for way in range(3):
            child = n + services // layers + (n * 7 + way * 11) % 23
            if child < services:
                calls = 1 + (n * way * 37) % 5000
                edges.append({"parent": n, "child": child, "calls": calls, "errors": calls // 40 * (n % 9 == 0)})
    return {
        "startTimeUnixNano": "0",
        "endTimeUnixNano": str(3600 * 10**9),
        "nodes": nodes,
        "edges": edges,
        "edgesLeftOut": 0,
    }


def test_200_services_fit_apart_from_each_other_and_one_is_found_among_them(look: Looking) -> None:
    page = look("/file")
    page.route("**/api/clew/v1/dependencies*", lambda route: route.fulfill(json=a_graph_of(200)))
    page.get_by_role("link", name="Service graph").click()
    expect(nodes(page)).to_have_count(200)

    placed = page.evaluate(
        """() => [...document.querySelectorAll('.graph-node .graph-box')].map(box => {
            const {x, y, width, height} = box.getBoundingClientRect();
            return [x, y, x + width, y + height];
        })"""
    )
    frame = page.locator(".graph-frame").bounding_box()
    assert frame is not None
    for at, (left, top, right, bottom) in enumerate(placed):
        assert left >= frame["x"]
        assert right <= frame["x"] + frame["width"]
        assert top >= frame["y"]
        assert bottom <= frame["y"] + frame["height"]
        for other in placed[at + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top

    page.get_by_role("combobox", name="Focus on a service").click()
    page.keyboard.type("042")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Hops")).to_be_visible()
    expect(nodes(page)).not_to_have_count(200)
