// What Jaeger's own SDKs report in Thrift: by HTTP as a Batch, by UDP as the one argument of Agent.emitBatch.
// Thrift puts no names on the wire, only the numbers, so the names here are in Python's spelling.

enum TagType { STRING = 0, DOUBLE = 1, BOOL = 2, LONG = 3, BINARY = 4 }

struct Tag {
  1: required string key
  2: required TagType value_type
  3: optional string text
  4: optional double number
  5: optional bool truth
  6: optional i64 whole
  7: optional binary raw
}

struct Log {
  1: required i64 timestamp
  2: required list<Tag> fields
}

enum ReferenceType { CHILD_OF = 0, FOLLOWS_FROM = 1 }

struct Reference {
  1: required ReferenceType reference_type
  2: required i64 trace_id_low
  3: required i64 trace_id_high
  4: required i64 span_id
}

struct Span {
  1: required i64 trace_id_low
  2: required i64 trace_id_high
  3: required i64 span_id
  4: required i64 parent_span_id
  5: required string operation_name
  6: optional list<Reference> references
  7: required i32 flags
  8: required i64 start_time
  9: required i64 duration
  10: optional list<Tag> tags
  11: optional list<Log> logs
}

struct Process {
  1: required string service_name
  2: optional list<Tag> tags
}

struct Batch {
  1: required Process process
  2: required list<Span> spans
}

struct EmitBatch {
  1: required Batch batch
}
