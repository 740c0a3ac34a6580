"""A DNS server for tests: answers SRV and A over UDP from a JSON file that is read at each question.

dns_server.py ADDRESS PORT FILE
FILE: {"_orders._tcp.example.com": {"SRV": [[10, 3, 8080, "a.example.com"]]}, "a.example.com": {"A": ["192.0.2.1"]}}
"""
import json
import socket
import struct
import sys

TYPES = {1: "A", 33: "SRV"}
TTL = 1


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    return struct.pack("!HHH", *value[:3]) + wire(value[3])


def answer(question, records):
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += 1 + question[at]
    asked = question[12:at + 5]
    kind = TYPES.get(struct.unpack("!H", question[at + 1:at + 3])[0])
    known = records.get(".".join(labels).lower())
    found = (known or {}).get(kind, [])
    status = 3 if known is None else 0
    head = question[:2] + struct.pack("!HHHHH", 0x8580 | status, 1, len(found), 0, 0)
    body = b"".join(b"\xc0\x0c" + asked[-4:] + struct.pack("!IH", TTL, len(data(kind, one))) + data(kind, one) for one in found)
    return head + asked + body


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
while True:
    question, client = server.recvfrom(4096)
    with open(sys.argv[3]) as file:
        server.sendto(answer(question, json.load(file)), client)
