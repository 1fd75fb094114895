"""Where things stand in an ExportTraceServiceRequest: the outer three levels, walked without looking into spans."""

import numpy as np
import numpy.typing as npt

from collector.decode.compiled.compiling import compiled
from collector.decode.compiled.protobuf import BROKEN, BYTES, field
from collector.decode.compiled.text import Bytes

Places = npt.NDArray[np.int64]

RESOURCE, RESOURCE_SCHEMA_URL, SCOPE, SCOPE_SCHEMA_URL, LAST_ROW = range(5)
"""Columns of `groups`, pairs of start and end but for the last: the row after the group's last span."""
GROUP_COLUMNS = 9

_MESSAGE_1, _MESSAGE_2, _MESSAGE_3 = ((number << 3) | BYTES for number in (1, 2, 3))


@compiled
def outline(p: Bytes, spans: Places, groups: Places) -> tuple[int, int]:
    """Fill `spans` (start and end of each) and `groups` (those of one ScopeSpans with what they share).

    How many spans and groups there are; BROKEN: not protobuf, or more than there is room for, and nobody sends that.
    """
    row = group = at = 0
    end = len(p)
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return BROKEN, BROKEN
        if tag == _MESSAGE_1:
            row, group = _resource_spans(p, start, stop, spans, row, groups, group)
            if row == BROKEN:
                return BROKEN, BROKEN
    return row, group


@compiled
def _resource_spans(
    p: Bytes, at: int, end: int, spans: Places, row: int, groups: Places, group: int
) -> tuple[int, int]:
    first_group = group
    resource_start = resource_end = schema_start = schema_end = 0
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return BROKEN, BROKEN
        if tag == _MESSAGE_1:
            resource_start, resource_end = start, stop
        elif tag == _MESSAGE_3:
            schema_start, schema_end = start, stop
        elif tag == _MESSAGE_2:
            first_row = row
            if group == len(groups):
                return BROKEN, BROKEN
            row = _scope_spans(p, start, stop, spans, row, groups[group])
            if row == BROKEN:
                return BROKEN, BROKEN
            group += row > first_row
    for i in range(first_group, group):
        groups[i, 0], groups[i, 1] = resource_start, resource_end
        groups[i, 2], groups[i, 3] = schema_start, schema_end
    return row, group


@compiled
def _scope_spans(p: Bytes, at: int, end: int, spans: Places, row: int, group: Places) -> int:
    group[4:] = 0
    while at < end:
        tag, start, stop, at = field(p, at, end)
        if at == BROKEN:
            return BROKEN
        if tag == _MESSAGE_2:
            if row == len(spans):
                return BROKEN
            spans[row, 0], spans[row, 1] = start, stop
            row += 1
        elif tag == _MESSAGE_1:
            group[4], group[5] = start, stop
        elif tag == _MESSAGE_3:
            group[6], group[7] = start, stop
    group[8] = row
    return row
