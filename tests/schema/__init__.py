"""Checks the API against its OpenAPI document with schemathesis: `python -m tests.schema`.

It runs in its own process, since schemathesis changes parts of Hypothesis, which other tests use.
"""
