"""A page that tries what pages do (fetch, server-sent events, WebSocket) and says how it went: its word is in /tmp/report."""
import base64
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<!doctype html><script>
const report = {};
async function run() {
  report.fetched = await (await fetch('/hello')).text();
  report.events = await new Promise((resolve, reject) => {
    const source = new EventSource('/events'), seen = [];
    source.onmessage = e => { seen.push(e.data); if (seen.length === 3) { source.close(); resolve(seen); } };
    source.onerror = () => reject('events end after ' + seen);
  });
  report.socket = await new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
    socket.onopen = () => socket.send('ping');
    socket.onmessage = e => { resolve(e.data); socket.close(); };
    socket.onerror = () => reject('no socket');
  });
  report.protocol = performance.getEntriesByType('resource')[0].nextHopProtocol;
}
run().catch(e => report.error = String(e)).finally(() => fetch('/report', {method: 'POST', body: JSON.stringify(report)}));
</script>"""


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send(self, body, kind="text/plain"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for word in (b"one", b"two", b"three"):
                event = b"data: " + word + b"\n\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/socket":
            accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            head = self.rfile.read(6)
            words = bytes(byte ^ head[2 + i % 4] for i, byte in enumerate(self.rfile.read(head[1] & 127)))
            answer = words + b" pong"
            self.wfile.write(bytes([0x81, len(answer)]) + answer)
            self.rfile.read(2)
            self.close_connection = True
        else:
            self.send(PAGE if self.path == "/" else b"hello", "text/html" if self.path == "/" else "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/tmp/report", "wb") as report:
            report.write(body)
        self.send(b"thanks")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("", 8080), Site).serve_forever()
