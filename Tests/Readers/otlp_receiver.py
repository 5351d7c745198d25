"""Receives spans over OTLP/HTTP, read with OpenTelemetry's own message classes.

usage: otlp_receiver.py FOLDER [FAILURES]

Writes its port to FOLDER/port, and each span as a line of JSON to FOLDER/spans. The first FAILURES requests are answered
with 503. A request that is not right is answered with 400, and its mistake is written to FOLDER/mistakes.
"""

import base64
import gzip
import http.server
import json
import os
import sys

from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

IDS = ("traceId", "spanId", "parentSpanId")


def with_ids(value, change):
    if isinstance(value, dict):
        return {key: change(part) if key in IDS else with_ids(part, change) for key, part in value.items()}
    return [with_ids(part, change) for part in value] if isinstance(value, list) else value


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = ""
    failures = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if Receiver.failures > 0:
            Receiver.failures -= 1
            return self.answer(503, b"", {"Retry-After": "0"})
        try:
            lines = self.spans(body)
        except (ValueError, KeyError, DecodeError, OSError) as error:
            self.write("mistakes", f"{self.path} {error}\n")
            return self.answer(400, b"")
        self.write("spans", "".join(lines))
        self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def spans(self, body):
        if self.path != "/v1/traces":
            raise ValueError("another path")
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.headers["content-type"] == "application/x-protobuf":
            request = ExportTraceServiceRequest.FromString(body)
        elif self.headers["content-type"] == "application/json":
            plain = with_ids(json.loads(body), lambda digits: base64.b64encode(bytes.fromhex(digits)).decode())
            request = Parse(json.dumps(plain), ExportTraceServiceRequest())
        else:
            raise ValueError("another content type")
        lines = []
        for resource in request.resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    shown = with_ids(MessageToDict(span), lambda text: base64.b64decode(text).hex())
                    shown["attributes"] = {a["key"]: next(iter(a["value"].values())) for a in shown["attributes"]}
                    shown["service"] = service
                    shown["key"] = self.headers.get("x-key", "")
                    lines.append(json.dumps(shown, sort_keys=True) + "\n")
        return lines

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def write(self, name, text):
        with open(os.path.join(Receiver.folder, name), "a", encoding="utf-8") as file:
            file.write(text)

    def log_message(self, *_):
        pass


def main(folder, failures):
    Receiver.folder, Receiver.failures = folder, failures
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    with open(os.path.join(folder, ".port"), "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.replace(os.path.join(folder, ".port"), os.path.join(folder, "port"))
    server.serve_forever()


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
