"""Prints what an OTLP message holds, read with OpenTelemetry's own message classes, as JSON with sorted keys.

usage: otlp_text.py protobuf|json FILE

Fails on fields that the protocol does not know, on ids of a wrong length, on enumerations out of range and on attributes
with one key.
"""

import base64
import json
import sys

from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

IDS = ("traceId", "spanId", "parentSpanId")


def refuse_unknown_fields(message):
    unknown = [field.field_number for field in UnknownFieldSet(message)]
    if unknown:
        sys.exit(f"{message.DESCRIPTOR.full_name} has no fields {unknown}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                refuse_unknown_fields(part)


def with_ids(value, change):
    if isinstance(value, dict):
        return {key: change(part) if key in IDS else with_ids(part, change) for key, part in value.items()}
    return [with_ids(part, change) for part in value] if isinstance(value, list) else value


def read(flavour, data):
    """The protocol's JSON has ids in hexadecimal digits where the parser wants base64."""
    if flavour == "protobuf":
        return ExportTraceServiceRequest.FromString(data)
    plain = with_ids(json.loads(data), lambda digits: base64.b64encode(bytes.fromhex(digits)).decode())
    return Parse(json.dumps(plain), ExportTraceServiceRequest())


def check(span):
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
        sys.exit(f"the ids of {span.name} have a wrong length")
    if span.kind not in Span.SpanKind.values() or span.status.code not in Status.StatusCode.values():
        sys.exit(f"kind or status of {span.name} is out of range")
    if not span.name or span.end_time_unix_nano < span.start_time_unix_nano:
        sys.exit(f"{span.name} has no name, or ends before it starts")
    for attributes in [span.attributes] + [event.attributes for event in span.events]:
        keys = [attribute.key for attribute in attributes]
        if len(keys) != len(set(keys)) or any(not attribute.value.WhichOneof("value") for attribute in attributes):
            sys.exit(f"attributes of {span.name}: {keys}")


def main(flavour, path):
    with open(path, "rb") as file:
        request = read(flavour, file.read())
    refuse_unknown_fields(request)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                check(span)
    shown = with_ids(MessageToDict(request), lambda text: base64.b64decode(text).hex())
    print(json.dumps(shown, sort_keys=True, indent=1))


main(sys.argv[1], sys.argv[2])
