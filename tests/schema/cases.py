"""The requests that are tried on an operation: some that mean something, and many that are made from its schema."""

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

from tests.schema.document import Document

Try = Callable[[Case], None]
# Callers are not made up: they are the seats'. Nor is a NUL, which neither nginx nor a path can carry.
GENERATION = {"with-security-parameters": False, "allow-x00": False}


def loaded(document: Document) -> schemathesis.BaseSchema:
    """The document as schemathesis has it."""
    # What does not fit is refused, by whichever rule comes first: 413 and 414 are for what is too long as well.
    refused = {"expected-statuses": ["4xx"]}
    config = {"generation": GENERATION, "checks": {"negative_data_rejection": refused}}
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))


def sure(operation: APIOperation, known: dict[str, Any], names: tuple[str, ...], try_it: Try) -> None:
    """One request that has no reason to be refused, other than who sends it."""
    body = {"body": {name: known[name] for name in names}, "media_type": "application/json"} if names else {}
    in_path = {name: value for name, value in known.items() if name not in names}
    try_it(operation.Case(path_parameters=in_path, **body))


def generated(operation: APIOperation, known: dict[str, Any], examples: int, seed: int, try_it: Try) -> None:
    """`examples` that fit the schema and half as many that do not; where they can, most name things that there are."""
    for mode, count in ((GenerationMode.POSITIVE, examples), (GenerationMode.NEGATIVE, examples // 2)):
        _draw(_made(operation, mode, known), count, seed, try_it)


def bounds(operation: APIOperation, known: dict[str, Any], try_it: Try) -> None:
    """Each bound of each field, both sides of it, each field left out, each other method: some hundred."""
    options = dict.fromkeys(("extra_data_source", "error_feedback", "session"))
    options |= {"generation_config": GenerationConfig(with_security_parameters=False, allow_x00=False)}
    for case in operation.schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), **options):
        _name_known(case, known, in_path=True, in_body=False)
        try_it(case)


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


def _draw(strategy: st.SearchStrategy[Case], count: int, seed: int, try_it: Try) -> None:
    if not count:
        return

    options = {"database": None, "deadline": None, "phases": [Phase.generate]}

    @seeded(seed)
    @settings(max_examples=count, suppress_health_check=list(HealthCheck), **options)
    @given(strategy)
    def run(case: Case) -> None:
        try_it(case)

    with suppress(Unsatisfiable):  # It takes nothing that could be wrong.
        run()
