"""The API held against its own OpenAPI document, by schemathesis. `python -m tests.schema` runs it.

It has a process of its own: schemathesis changes parts of Hypothesis, which other tests use, and takes long to import.
"""
