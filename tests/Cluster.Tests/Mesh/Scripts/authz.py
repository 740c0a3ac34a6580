"""Decides about others' requests: those with the field `x-token: let-me-in` pass. By HTTP on 8000, by Envoy's gRPC protocol on 9000."""
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading

import grpc


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        allowed = self.headers.get("x-token") == "let-me-in"
        self.send_response(200 if allowed else 403)
        self.send_header("x-decided-by" if allowed else "x-refused-by", "authz")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def check(request, _):
    # CheckResponse: status {code 0}; or status {code 7}, denied_response {status {code 403}}.
    return b"\x0a\x00" if b"let-me-in" in request else b"\x0a\x02\x08\x07\x12\x05\x0a\x03\x08\x93\x03"


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
    "envoy.service.auth.v3.Authorization", {"Check": grpc.unary_unary_rpc_method_handler(check)})])
server.add_insecure_port("0.0.0.0:9000")
server.start()
threading.Thread(target=ThreadingHTTPServer(("", 8000), Http).serve_forever, daemon=True).start()
server.wait_for_termination()
