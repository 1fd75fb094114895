"""The typed attributes of a Remote Storage query, as the texts that a search compares."""

from collections.abc import Iterable

from storage.attributes import AttributeValue, text_of
from wire import jaeger_storage_v2_pb2 as v2


def text_map(pairs: Iterable[v2.KeyValue]) -> dict[str, str]:
    """Key to text form (`storage.attributes.text_of`); of a repeated key the last counts. No value is the text ""."""
    return {pair.key: text_of(_value(pair.value)) for pair in pairs}


def _value(value: v2.AnyValue) -> AttributeValue:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bytes_value":
            return value.bytes_value
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
        case _:
            return None
