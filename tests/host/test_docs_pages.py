"""The pages that explain the API: rendered by a real browser that can reach nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from browser import Browser, open_browser
from playwright.sync_api import expect
from seed_blocks import seed_routes

from lab.api import PREFIX, Api

HAS_HEADINGS = """(summaries) => {
    const shown = [...document.querySelectorAll("h1, h2, h3")].map((heading) => heading.textContent);
    return summaries.every((summary) => shown.some((text) => text.includes(summary)));
}"""
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    answer = api.get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "application/json")
    served: dict[str, Any] = answer.json()
    return served


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> operation object."""
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    used = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert used
    assert used <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_the_document_has_every_route_of_the_seed(document: dict[str, Any]) -> None:
    described = operations(document)
    assert {(route.method, route.path) for route in seed_routes()} <= described.keys()
    for route in seed_routes():
        operation = described[route.method, route.path]
        parameters = {(entry["in"], entry["name"]) for entry in operation.get("parameters", ())}
        assert {("query", name) for name in route.query} <= parameters, route
        assert {("path", name) for name in re.findall(r"{(\w+)}", route.path)} <= parameters, route


def test_swagger_ui_lists_every_operation_and_sends_a_request(
    browser: Browser, api: Api, document: dict[str, Any]
) -> None:
    page = browser.page
    page.goto(f"{api.base_url}/docs")
    expect(page.locator("#swagger-ui .opblock")).to_have_count(len(operations(document)))
    expect(page.locator("#swagger-ui .info .title")).to_contain_text("AvatarForge")

    path = f"{PREFIX}/generate/avatar"
    block = page.locator(".opblock-post", has=page.locator(f'[data-path="{path}"]'))
    block.locator(".opblock-summary-control").click()
    expect(block.locator(".opblock-body")).to_contain_text("application/json")
    expect(block.locator(".opblock-body")).to_contain_text("prompt")
    block.get_by_role("button", name="Try it out").click()
    block.locator("textarea.body-param__text").fill('{"prompt": "a knight from the documentation"}')
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    (generation_id,) = re.findall(r'"generation_id": "([0-9a-f-]{36})"', answer.inner_text())

    assert api.wait(generation_id)["parameters"]["prompt"] == "a knight from the documentation"
    assert browser.foreign(api.server) == []
    assert browser.complaints == []


def test_redoc_shows_every_operation(browser: Browser, api: Api, document: dict[str, Any]) -> None:
    page = browser.page
    page.goto(f"{api.base_url}/redoc")
    expect(page.get_by_role("heading", name=re.compile("AvatarForge")).first).to_be_visible()
    # One look at all of them: a locator for each would search a large page some sixty times.
    page.wait_for_function(HAS_HEADINGS, arg=[each["summary"] for each in operations(document).values()])

    assert browser.foreign(api.server) == []
    assert browser.complaints == []
    assert list(browser.refused) == []


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_pages_are_there_under_api_too(api: Api, path: str) -> None:
    answer = api.root(f"/api{PREFIX}{path}")
    assert answer.status_code == 200
    assert answer.content == api.get(path).content
