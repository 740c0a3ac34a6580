"""Writes what comes by UDP to port 5555 into /tmp/heard; on TCP 8080 it is only there."""
import socket
import threading

ready = socket.create_server(("", 8080))
threading.Thread(target=lambda: [ready.accept()[0].close() for _ in iter(int, 1)], daemon=True).start()
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind(("", 5555))
open("/tmp/heard", "w").close()
while True:
    data, source = heard.recvfrom(2048)
    with open("/tmp/heard", "a") as lines:
        lines.write(f"{source[0]} {data!r}\n")
