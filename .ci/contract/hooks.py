"""Hooks of schemathesis: ids that exist, and a check of failures of the server."""

import json
import os
import zlib

import schemathesis

# The values of path parameters that exist, by method and path or by the name of the parameter.
KNOWN = json.loads(os.environ.get("PALABRE_KNOWN", "{}"))
# Requests that would end what the others need.
KEPT = {("DELETE", "/api/rooms/{room}"), ("DELETE", "/chat/session/{id}")}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Replaces most values of path parameters with ids that exist."""
    operation = context.operation
    key = (operation.method.upper(), operation.path)
    if not path_parameters or key in KEPT:
        return path_parameters
    known = {**KNOWN.get("*", {}), **KNOWN.get(operation.path, {})}
    for name, value in path_parameters.items():
        # The same value is always treated in the same way, so that failures can be repeated.
        if name in known and zlib.crc32(repr(value).encode()) % 4:
            path_parameters[name] = known[name]
    return path_parameters


@schemathesis.check
def no_undeclared_failure(ctx, response, case):
    """Refuses statuses from 500, except a declared 503 that says when to try again."""
    if response.status_code < 500:
        return
    declared = case.operation.definition.raw.get("responses", {})
    if response.status_code == 503 and "503" in declared and "retry-after" in response.headers:
        return
    raise AssertionError(f"the server failed: {response.status_code} {response.text[:500]}")
