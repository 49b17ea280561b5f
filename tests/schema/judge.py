"""Checks that an answer is documented and allowed for the role."""

from collections import Counter
from dataclasses import dataclass, field

import requests
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.schema.document import Operation

ANSWERS = ("status_code", "content_type", "response_headers", "response_schema")
CHECKS = [not_a_server_error, checks.negative_data_rejection, checks.unsupported_method]
CHECKS += [getattr(checks, f"{each}_conformance") for each in ANSWERS]
FAILURE_CHARS_MAX = 2_000
# Headers of HTTP itself, and those that the gateway adds.
CARRYING = {"connection", "content-encoding", "content-length", "content-type", "date", "keep-alive", "server"}
CARRYING |= {"transfer-encoding"}
GATEWAY = {"content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options"}
GATEWAY |= {"x-frame-options", "x-request-id"}


@dataclass
class Tally:
    """The results of an operation in one role."""

    operation: Operation
    role: str
    statuses: Counter[int] = field(default_factory=Counter)
    # Failures, each with the first request that showed it.
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def request_count(self) -> int:
        return self.statuses.total()

    @property
    def allowed(self) -> bool:
        return not self.operation.roles or self.role in self.operation.roles

    def judge(self, case: Case, answer: requests.Response, headers: dict[str, str]) -> None:
        """Count an answer, and record its failures."""
        self.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS, headers=headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._add_failure(f"{failure.title} ({answer.status_code}): {failure.message}", answer)
        # Another method than the operation's is answered before anyone is asked who they are.
        if case.method.upper() == self.operation.method and answer.status_code not in (404, 405):
            self._judge_caller(answer)
            self._judge_form(case, answer)

    def _judge_caller(self, answer: requests.Response) -> None:
        status = answer.status_code
        # Of an address that is too long the gateway does not read on, to who asks.
        if not self.operation.roles or status == 414:
            return
        wanted = 401 if self.role == "anonymous" else 403
        if not self.allowed and status != wanted:
            self._add_failure(f"Answered {status} to {self.role} instead of {wanted}", answer)
        if self.allowed and (status == 401 or (status == 403 and answer.json()["code"] == "forbidden")):
            self._add_failure(f"Refused {self.role} with {status}, which is allowed", answer)

    def _judge_form(self, case: Case, answer: requests.Response) -> None:
        definition = case.operation.responses.find_by_status_code(answer.status_code)
        if definition is None:
            return
        named = {name.lower() for name, _ in definition.headers.items()}
        if extra := {name.lower() for name in answer.headers} - named - CARRYING - GATEWAY:
            self._add_failure(f"Undocumented headers ({answer.status_code}): {', '.join(sorted(extra))}", answer)
        if not definition.definition.get("content") and answer.content:
            self._add_failure(f"Undocumented body ({answer.status_code})", answer)

    def _add_failure(self, what: str, answer: requests.Response) -> None:
        request = answer.request
        body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body
        shown = f"{request.method} {request.path_url} {body or ''} -> {answer.status_code} {answer.text}"
        self.failures.setdefault(what[:FAILURE_CHARS_MAX], shown[:FAILURE_CHARS_MAX])
