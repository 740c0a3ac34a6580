"""One datagram, written by hand: arguments are the source that it claims, the destination and its port."""
import socket
import struct
import sys

source, destination, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = b"who am I"
udp = struct.pack(">HHHH", 5555, port, 8 + len(data), 0) + data
ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0, socket.inet_aton(source), socket.inet_aton(destination))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.sendto(ip + udp, (destination, port))
