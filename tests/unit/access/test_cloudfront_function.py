"""CloudFront's function: it says what the access rule says, on the vectors that all fronts share."""

import json
import re

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.errors import SessionOver
from chalicelib.problems import STATUS_OF_END, problem_of
from tests.cloudfront.edge import FUNCTION, answers_of, question
from tests.vectors.access import VECTORS
from tests.vectors.case import Case
from tests.vectors.model import ALLOW, OPEN, SEGMENT, Answer, Front, State, Vector

NOW_MS = 1_800_000_000_000
BYTES_MAX = 10_240


@pytest.fixture(scope="module")
def responses():
    cases = [Case(vector, NOW_MS) for vector in VECTORS]
    returned = answers_of([question(case, case.vector.state) for case in cases])
    return {case.vector.name: each for case, each in zip(cases, returned, strict=True)}


def answer(case, returned):
    """A playlist stays where it is: the API has its key."""
    if "statusCode" in returned:
        return Answer(json.loads(returned["body"]["data"])["code"], returned["statusCode"])
    assert returned["querystring"] == {} and returned["cookies"] == {}
    if case.vector.media != SEGMENT:
        assert returned["uri"] == case.target and returned["headers"]["authorization"]
        return Answer(ALLOW, 200, case.expected(Front.CLOUDFRONT).key)
    assert "authorization" not in returned["headers"]
    return Answer(ALLOW, 200, returned["uri"].removeprefix("/"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_vectors(vector, responses):
    case = Case(vector, NOW_MS)
    assert answer(case, responses[vector.name]) == case.expected(Front.CLOUDFRONT)


def test_refusals_are_problems_that_are_not_cached(responses):
    refusals = [each for each in responses.values() if "statusCode" in each]
    for each in refusals:
        document, headers = json.loads(each["body"]["data"]), each["headers"]
        assert document["status"] == each["statusCode"]
        assert document["type"] == f"urn:tollcast:problem:{document['code']}"
        assert headers["cache-control"]["value"] == "no-store"
        assert headers["content-type"]["value"] == "application/problem+json"
        assert ("www-authenticate" in headers) == (each["statusCode"] == 401)
        assert ("retry-after" in headers) == (each["statusCode"] == 503)
    assert len(refusals) > 50


def test_end_reasons_have_the_details_of_the_domain(responses):
    for reason in EndReason:
        returned = responses[f"ended and denied: {reason.value}"]
        found = json.loads(returned["body"]["data"]), returned["statusCode"]
        assert found == (problem_of(SessionOver(reason)), STATUS_OF_END[reason])


def test_an_entry_that_is_not_understood_is_an_entry_and_a_store_without_keys_opens_nothing():
    case = Case(Vector(name="a segment", expect=ALLOW), NOW_MS)
    asked = question(case, OPEN)
    strange = {**asked["store"], f"session/{case.session_id}": "moonlight"}
    returned, without_keys = answers_of([{**asked, "store": strange}, {**question(case, State()), "store": {}}])
    assert (returned["statusCode"], json.loads(returned["body"]["data"])["code"]) == (403, "forbidden")
    assert without_keys["statusCode"] == 401


def test_the_function_fits_and_awaits_only_whole_values():
    assert len(FUNCTION.read_bytes()) <= BYTES_MAX
    """Node takes `await` anywhere, and CloudFront's runtime not in arguments."""
    code = re.sub(r"^\s*//.*$", "", FUNCTION.read_text(), flags=re.MULTILINE)
    awaited = re.findall(r".*\bawait\b.*", code)
    assert len(awaited) == 8
    whole = r" +(const \w+ =|return) await \w[\w.]*\([^()]*(\(\))?\);"
    assert all(re.fullmatch(whole, line) for line in awaited), awaited
