"""clew's own page on Jaeger's port: what it is told, how its files are sent, and what it may not do."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from query.api.own_page import OwnPage
from query.render.page_index import page_index, relative_base

MANIFEST = {
    "index.html": {"file": "static/index-1.js", "imports": ["_shared.js"], "css": ["static/index-1.css"]},
    "_shared.js": {"file": "static/shared-1.js"},
    "_table.js": {"file": "static/table-1.js", "imports": ["_shared.js"], "css": ["static/table-1.css"]},
    "src/views/trace/index.tsx": {"file": "static/trace-1.js", "imports": ["index.html", "_table.js", "_shared.js"]},
    "src/views/compare/index.tsx": {"file": "static/compare-1.js", "imports": ["index.html"]},
}
INDEX = "<html><!-- clew:base --><!-- clew:facts --><!-- clew:view --></html>"
SCRIPT = "static/index-BxT2q3fK.js"
DOORS = {"zipkin": "0.0.0.0:9411", "</script>": "[::1]:1"}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build: the page, a script with both compressed forms, an image, and what is not for a browser."""
    (tmp_path / "static").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / SCRIPT).write_text("run();")
    (tmp_path / f"{SCRIPT}.gz").write_bytes(b"gzipped")
    (tmp_path / f"{SCRIPT}.br").write_bytes(b"brotlied")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "built-from").write_text("abc")
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path


@pytest.fixture
async def client(build: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(build) as client:
        yield client


def a_client(build: Path) -> httpx.AsyncClient:
    page, app = OwnPage(lambda: DOORS, archive=True, folder=build), FastAPI(openapi_url=None)

    async def answer(request: Request) -> Response:
        return page.answer(request, request.path_params["rest"], "") or Response(status_code=404)

    app.add_api_route("/{rest:path}", answer, response_model=None)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://clew", headers={"accept-encoding": ""})


async def test_the_page_is_told_the_doors_the_version_and_whether_it_can_archive(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text

    told = re.search(r'<script type="application/json" id="clew-facts">(.*?)</script>', page)
    assert told is not None
    facts = json.loads(told[1])
    assert (facts["doors"], facts["archive"]) == (DOORS, True)
    assert re.fullmatch(r"\d+\.\d+\.\d+", facts["version"])


@pytest.mark.parametrize(
    ("accepted", "body", "coding"),
    [
        ("gzip, deflate, br", "brotlied", "br"),
        ("gzip", "gzipped", "gzip"),
        ("br;q=0, gzip", "gzipped", "gzip"),
        ("identity", "run();", None),
    ],
)
async def test_a_file_is_sent_as_it_was_compressed_by_the_build(
    client: httpx.AsyncClient, accepted: str, body: str, coding: str | None
) -> None:
    async with client.stream("GET", f"/{SCRIPT}", headers={"accept-encoding": accepted}) as response:
        sent = b"".join([part async for part in response.aiter_raw()])

    assert (sent.decode(), response.headers.get("content-encoding")) == (body, coding)
    assert response.headers["vary"] == "accept-encoding"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_a_file_named_by_its_content_is_kept_for_good_and_all_else_is_asked_about(
    client: httpx.AsyncClient,
) -> None:
    kept = {path: (await client.get(path)).headers["cache-control"] for path in ("/", "/favicon.svg", f"/{SCRIPT}")}

    assert kept == {
        "/": "no-cache",
        "/favicon.svg": "no-cache",
        f"/{SCRIPT}": "public, max-age=31536000, immutable",
    }


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/trace/5AF7183fb1d4cf5f", "5AF7183fb1d4cf5f/outline"),
        ("/trace/5af7183fb1d4cf5f?clockSkew=zipkin&view=flame", "5af7183fb1d4cf5f/outline?clockSkew=zipkin"),
        ("/trace/5af7183fb1d4cf5f?clockSkew=jaeger", "5af7183fb1d4cf5f/outline"),
        ("/traces/5AF7183fb1d4cf5f", "5af7183fb1d4cf5f/outline"),
        ("/trace/1f...2f", None),
        ('/trace/1f"><script>', None),
        ("/search?service=trace/1f", None),
    ],
)
async def test_the_outline_of_the_trace_that_is_opened_is_asked_for_by_the_page_itself(
    client: httpx.AsyncClient, path: str, asked: str | None
) -> None:
    fetched = re.findall(r'<link rel="preload" as="fetch" crossorigin href="(.*?)">', (await client.get(path)).text)

    assert fetched == ([f"api/clew/v1/traces/{asked}"] if asked else [])


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/trace/1f", {"trace-1.js", "table-1.js", "table-1.css"}),
        ("/trace/1f...2f", {"compare-1.js"}),
        ("/compare", {"compare-1.js"}),
        ("/monitor", set()),
    ],
)
async def test_what_only_the_view_needs_comes_with_the_page(
    client: httpx.AsyncClient, path: str, wanted: set[str]
) -> None:
    page = (await client.get(path)).text

    assert (
        set(re.findall(r'<link rel="(?:modulepreload|stylesheet)" crossorigin href="\./static/(.*?)">', page)) == wanted
    )


@pytest.mark.parametrize("path", ["/search", "/favicon.svg", f"/{SCRIPT}"])
async def test_what_a_browser_has_already_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    tag = (await client.get(path)).headers["etag"]

    again = await client.get(path, headers={"if-none-match": f'"other", W/{tag}'})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/built-from", "/manifest.json", f"/{SCRIPT}.gz", "/..%2fsecret", "/static/../../secret"]
)
async def test_what_is_not_for_a_browser_is_not_sent(client: httpx.AsyncClient, build: Path, path: str) -> None:
    (build.parent / "secret").write_text("abc")

    response = await client.get(path)

    assert response.status_code in (200, 404)
    assert response.text not in ("abc", "gzipped")


async def test_no_script_in_the_page_itself_can_run_and_no_other_host_is_asked(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    policy = dict(rule.split(" ", 1) for rule in response.headers["content-security-policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


async def test_a_build_that_is_replaced_while_it_is_served_stays_whole(client: httpx.AsyncClient, build: Path) -> None:
    (build / SCRIPT).unlink()
    (build / "index.html").write_text("<html>next</html>")

    assert (await client.get(f"/{SCRIPT}")).text == "run();"
    assert "next" not in (await client.get("/")).text


async def test_a_page_that_was_not_built_says_how_and_the_log_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_client(tmp_path) as client:
        response = await client.get("/trace/1")

    assert response.status_code == 503
    assert "make page" in response.text
    assert "const JAEGER_VERSION = " in response.text
    assert "`make page`" in caplog.text


def test_a_template_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="expected <!-- clew:base -->"):
        page_index("<html></html>", "./", {})


@pytest.mark.parametrize(
    ("raw_path", "prefix", "base"),
    [
        ("/", "", "./"),
        ("/search", "", "./"),
        ("/trace/1", "", "../"),
        ("/trace/a%2Fb", "", "../"),
        ("/jaeger", "/jaeger", "jaeger/"),
        ("/a/jaeger", "/a/jaeger", "jaeger/"),
        ("/jaeger/", "/jaeger", "./"),
        ("/a/jaeger/trace/1", "/a/jaeger", "../"),
    ],
)
def test_the_base_leads_from_the_page_to_its_mount(raw_path: str, prefix: str, base: str) -> None:
    assert relative_base(raw_path, prefix) == base
