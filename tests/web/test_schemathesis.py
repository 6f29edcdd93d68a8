"""Whatever the OpenAPI document allows, and much that it does not, is answered as the document says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from musai.web import PageServer, create_app
from musai.web.api_table import TABLE
from musai.web.openapi import document
from tests.web.deskservice import DeskService

ENDLESS = "/api/jobs/events"
"""Tells of jobs until whoever listens goes away."""


def without_tuples(value: Any) -> Any:
    """schemathesis 4.32 rewrites `prefixItems` into what its own validator refuses: any of them, then."""
    if isinstance(value, list):
        return [without_tuples(one) for one in value]
    if not isinstance(value, dict):
        return value
    held = {name: without_tuples(one) for name, one in value.items()}
    if "prefixItems" in held:
        held["items"] = {"anyOf": held.pop("prefixItems")}
    return held


schema = schemathesis.openapi.from_dict(without_tuples(document(TABLE))).exclude(path=ENDLESS)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    held = DeskService(tmp_path_factory.mktemp("desk"))
    with PageServer(create_app(held), 0) as server:
        yield server.url.rstrip("/")
    held.close()


@schema.parametrize()
@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_its_document_says(case: Any, url: str) -> None:
    # Some refusals no schema can say: a status without its use, the 73rd of a month.
    case.call_and_validate(base_url=url, timeout=60, excluded_checks=[positive_data_acceptance])
