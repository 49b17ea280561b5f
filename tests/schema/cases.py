"""The requests of an operation: a valid one, and many that are generated from its schema."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import GenerationConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation

from tests.schema.document import Document, Operation

Send = Callable[[Case], None]
# Credentials come from `Login`. Neither nginx nor a path accepts a NUL.
GENERATION = {"with-security-parameters": False, "allow-x00": False}


def load_schema(document: Document) -> schemathesis.BaseSchema:
    """Load the document into schemathesis."""
    # Any status 4xx rejects an invalid request: 413 and 414 if it is too long.
    refused = {"expected-statuses": ["4xx"]}
    config = {"generation": GENERATION, "checks": {"negative_data_rejection": refused}}
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))


def valid_request(target: APIOperation, known: dict[str, Any], operation: Operation, send: Send) -> None:
    """Send a request that only its role can make invalid."""
    path, body, query = (
        {name: known[name] for name in names}
        for names in (operation.path_names, operation.required, operation.in_query)
    )
    of_body = {"body": body, "media_type": "application/json"} if body else {}
    headers = {"X-CSRF": "1"} if operation.of_browsers else {}
    cookies = {"tollcast_refresh": known["refresh_token"]} if operation.of_browsers else {}
    send(target.Case(path_parameters=path, query=query, headers=headers, cookies=cookies, **of_body))


def send_generated(operation: APIOperation, known: dict[str, Any], examples: int, seed: int, send: Send) -> None:
    """Send `examples` valid and half as many invalid requests, most of them with existing ids."""
    for mode, count in ((GenerationMode.POSITIVE, examples), (GenerationMode.NEGATIVE, examples // 2)):
        _draw(_made(operation, mode, known), count, seed, send)


def send_bounds(operation: APIOperation, known: dict[str, Any], send: Send) -> None:
    """Send requests for both sides of each bound, without each field, and with each other method."""
    options = dict.fromkeys(("extra_data_source", "error_feedback", "session"))
    options |= {"generation_config": GenerationConfig(with_security_parameters=False, allow_x00=False)}
    for case in operation.schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), **options):
        _name_known(case, known, in_path=True, in_body=False)
        send(case)


@st.composite
def _made(draw: st.DrawFn, operation: APIOperation, mode: GenerationMode, known: dict[str, Any]) -> Case:
    case = draw(operation.as_strategy(generation_mode=mode))
    in_body = mode is GenerationMode.POSITIVE and draw(st.integers(0, 3)) > 0
    _name_known(case, known, in_path=draw(st.integers(0, 3)) > 0, in_body=in_body)
    return case


def _name_known(case: Case, known: dict[str, Any], *, in_path: bool, in_body: bool) -> None:
    if in_path and not (case.meta and case.meta.is_negative_at(ParameterLocation.PATH)):
        for name in case.path_parameters:
            case.path_parameters[name] = known[name]
    if in_body and isinstance(case.body, dict):
        case.body = {**case.body, **{name: known[name] for name in case.body if name in known}}


def _draw(strategy: st.SearchStrategy[Case], count: int, seed: int, send: Send) -> None:
    if not count:
        return

    options = {"database": None, "deadline": None, "phases": [Phase.generate]}

    @seeded(seed)
    @settings(max_examples=count, suppress_health_check=list(HealthCheck), **options)
    @given(strategy)
    def run(case: Case) -> None:
        send(case)

    with suppress(Unsatisfiable):  # It takes nothing that could be wrong.
        run()
