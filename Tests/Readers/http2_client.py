"""Speaks HTTP/2 in the clear with the guest `bodies`, through the package h2, which ends with an error where the other
side breaks the protocol. Prints one line for each request: its path, status, length of body, and trailers.

usage: http2_client.py PORT
"""

import socket
import sys

import h2.config
import h2.connection
import h2.events

PATTERN = b"0123456789abcdef"


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(60)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.flush()
        self.streams = {}
        self.uploads = {}

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def begin(self, method, path, body=b"", trailers=None):
        stream = self.connection.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "http"), (":authority", "edge.example"), (":path", path)]
        self.connection.send_headers(stream, headers, end_stream=not body)
        self.streams[stream] = {"path": path, "status": "", "body": b"", "trailers": [], "done": False}
        if body:
            self.uploads[stream] = (body, trailers)
        self.upload()

    def upload(self):
        for stream, (body, trailers) in list(self.uploads.items()):
            while body:
                room = min(self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size)
                if room <= 0:
                    break
                piece, body = body[:room], body[room:]
                self.connection.send_data(stream, piece, end_stream=not body and not trailers)
            if body:
                self.uploads[stream] = (body, trailers)
                continue
            if trailers:
                self.connection.send_headers(stream, trailers, end_stream=True)
            del self.uploads[stream]
        self.flush()

    def run(self):
        while not all(stream["done"] for stream in self.streams.values()):
            data = self.socket.recv(65536)
            if not data:
                raise SystemExit("the connection ended")
            for event in self.connection.receive_data(data):
                self.take(event)
            self.upload()

    def take(self, event):
        if isinstance(event, h2.events.ConnectionTerminated):
            raise SystemExit(f"GOAWAY {event.error_code}")
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            stream["status"] = dict(event.headers)[":status"]
        elif isinstance(event, h2.events.DataReceived):
            stream["body"] += event.data
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            stream["trailers"] = [name for name, _ in event.headers]
        elif isinstance(event, h2.events.StreamReset):
            raise SystemExit(f"{stream['path']}: RST_STREAM {event.error_code}")
        elif isinstance(event, h2.events.StreamEnded):
            stream["done"] = True


def main():
    client = Client(int(sys.argv[1]))
    for number in range(10):
        client.begin("GET", f"/pattern?bytes={100_000 + number}&chunk=7000")
    client.begin("POST", "/echo", PATTERN * 20_000)
    client.begin("POST", "/request_trailers", b"abc", [("x-check", "1")])
    client.begin("GET", "/response_trailers")
    client.run()
    for stream in client.streams.values():
        body = stream["body"]
        if stream["path"] == "/echo" and body != PATTERN * 20_000:
            raise SystemExit("the echo is not what was sent")
        print(stream["path"], stream["status"], len(body), ",".join(stream["trailers"]))


main()
