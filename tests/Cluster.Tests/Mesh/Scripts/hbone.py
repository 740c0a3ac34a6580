"""As another node would: HBONE to a pod, with whatever certificate. Arguments: pod address, port, certificate, key, authorities, or '-' for no certificate; then a source that is claimed, if any.
Prints the status of the tunnel and the first line of what is answered through it, or why there is none."""
import socket
import ssl
import struct
import sys

pod, port, certificate, key, authorities, *source = sys.argv[1:]


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    return bytes([len(value)]) + value.encode()


def field(name, value):
    return b"\x00" + text(name) + text(value)


def read(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.load_verify_locations(authorities)
context.set_alpn_protocols(["h2"])
if certificate != "-":
    context.load_cert_chain(certificate, key)
try:
    with context.wrap_socket(socket.create_connection((pod, 15008), 10)) as connection:
        connection.settimeout(10)
        head = field(":method", "CONNECT") + field(":authority", f"{pod}:{port}") + b"".join(field("forwarded", "for=" + one) for one in source)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, head))
        answer = b""
        while b"\r\n" not in answer:
            header = read(connection, 9)
            size, kind, flags = int.from_bytes(header[:3], "big"), header[3], header[4]
            stream, payload = int.from_bytes(header[5:], "big"), read(connection, size)
            if kind == 4 and not flags & 1:
                connection.sendall(frame(4, 1, 0, b""))
            elif kind == 1 and stream == 1:
                # :status 200 is one byte (RFC 7541, appendix A, 8); others stand as text behind their index.
                opened = payload[:1] == b"\x88"
                print("tunnel", "200" if opened else payload[:8], flush=True)
                if not opened:
                    sys.exit(1)
                connection.sendall(frame(0, 0, 1, b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"))
            elif kind == 0 and stream == 1:
                answer += payload
                if flags & 1:
                    break
            elif kind in (3, 7):
                raise OSError(f"reset {kind}")
        print(answer.split(b"\r\n")[0].decode() or "closed")
except OSError as refused:
    print("refused", refused)
    sys.exit(1)
