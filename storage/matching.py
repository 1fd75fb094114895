"""When does one span satisfy a TraceQuery: the executable definition that every store's SQL must agree with.

A TagFilter with a text is satisfied when any attribute of the span, its resource, its scope, one of its events or one
of its links has that key and that text form (`attributes.text_of`); or, for the keys below, by what Jaeger shows as a
tag although it is not stored as one:

    event                       the name of an event (a Zipkin annotation's value)
    error                       "true": the status is ERROR; "false": it is not
    span.kind                   internal, server, client, producer, consumer
    otel.status_code            OK, ERROR
    otel.status_description     the status message, when there is one
    otel.scope.name, otel.scope.version, scope.name, scope.version, w3c.tracestate
    resource.<key>              only a resource attribute

A TagFilter without a text (Zipkin's annotationQuery) is satisfied by a span or resource attribute of that key, by an
event of that name, and for `error` by the status ERROR.
"""
