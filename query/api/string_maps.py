"""A JSON object of texts in a query parameter; what else comes is refused with the words of Go's encoding/json."""

import json


def string_map(text: str) -> dict[str, str]:
    """The object; null is {} and a null value "". ValueError when it is not that."""
    if not text:
        raise ValueError("unexpected end of JSON input")
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("exceeded max depth") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"json: cannot unmarshal {_kind(found)} into Go value of type map[string]string")
    for value in found.values():
        if not isinstance(value, str | None):
            raise ValueError(f"json: cannot unmarshal {_kind(value)} into Go value of type string")
    return {key: value or "" for key, value in found.items()}


def _kind(value: object) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
