"""A service that fails as often as a test says: of a hundred answers as many are errors as the file /tmp/percent has, evenly. /tmp/seen has a line for each request."""
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("VERSION", "")
gate = threading.Lock()
owed = 0


def fails():
    global owed
    with gate:
        try:
            owed += int(open("/tmp/percent").read())
        except (FileNotFoundError, ValueError):
            owed = 0
        failed, owed = owed >= 100, owed % 100
        return failed


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with gate, open("/tmp/seen", "a") as seen:
            seen.write(f"{self.headers['Host']} {self.path}\n")
        body = json.dumps({"VERSION": VERSION, "headers": dict(self.headers)}, separators=(",", ":")).encode() + b"\n"
        self.send_response(500 if fails() else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", 8080), Service).serve_forever()
