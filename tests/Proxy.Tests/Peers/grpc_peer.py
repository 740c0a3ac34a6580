# gRPC's own C core as server and client, with messages of plain bytes.
#   grpc_peer.py server             prints its port, then serves until its standard input ends
#   grpc_peer.py client TARGET [CA] calls all of it, on TLS as a.example where a file of authorities is given; ends with 0 when everything was as it must be
import sys
import threading
from concurrent import futures

import grpc


def unary(request, context):
    context.send_initial_metadata((("x-seen", dict(context.invocation_metadata()).get("x-sent", "")),))
    context.set_trailing_metadata((("x-detail-bin", b"\x00\xff"),))
    return request


def count(request, context):
    for i in range(int(request)):
        yield b"%d" % i


def collect(requests, context):
    return b"".join(requests)


def talk(requests, context):
    for request in requests:
        yield request.upper()


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: \u00fc 100 %")


HUNG = threading.Event()


def hang(request, context):
    context.add_callback(HUNG.set)
    HUNG.wait(60)
    return b""


def was_hung_up(request, context):
    return b"yes" if HUNG.wait(30) else b"no"


class Peer(grpc.GenericRpcHandler):
    METHODS = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Hang": grpc.unary_unary_rpc_method_handler(hang),
        "WasHungUp": grpc.unary_unary_rpc_method_handler(was_hung_up),
    }

    def service(self, details):
        return self.METHODS.get(details.method.removeprefix("/peer.Peer/"))


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(20), handlers=(Peer(),), options=(("grpc.so_reuseport", 0),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def ask(target, authorities):
    options = (("grpc.ssl_target_name_override", "a.example"),) if authorities else ()
    channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(open(authorities, "rb").read()), options) if authorities else grpc.insecure_channel(target)
    with channel:
        unary_call = channel.unary_unary("/peer.Peer/Unary")
        for message in (b"", b"hello", b"x" * 3_000_000):
            answer, call = unary_call.with_call(message, metadata=(("x-sent", "kept"),), timeout=60)
            assert answer == message, len(answer)
            assert ("x-seen", "kept") in call.initial_metadata(), call.initial_metadata()
            assert ("x-detail-bin", b"\x00\xff") in call.trailing_metadata(), call.trailing_metadata()

        assert list(channel.unary_stream("/peer.Peer/Count")(b"500", timeout=60)) == [b"%d" % i for i in range(500)]
        assert channel.stream_unary("/peer.Peer/Collect")(iter([b"ab"] * 1000), timeout=60) == b"ab" * 1000

        # Each answer is awaited before the next message is sent.
        turn = threading.Semaphore(1)

        def messages():
            for i in range(50):
                assert turn.acquire(timeout=30)
                yield b"m%d" % i

        got = []
        for answer in channel.stream_stream("/peer.Peer/Talk")(messages(), timeout=60):
            got.append(answer)
            turn.release()
        assert got == [b"M%d" % i for i in range(50)], got

        assert code_of(lambda: channel.unary_unary("/peer.Peer/Fail")(b"", timeout=60)) == (grpc.StatusCode.NOT_FOUND, "no such thing: \u00fc 100 %")
        assert code_of(lambda: channel.unary_unary("/peer.Peer/None")(b"", timeout=60))[0] == grpc.StatusCode.UNIMPLEMENTED
        ended = code_of(lambda: channel.unary_unary("/peer.Peer/Hang")(b"", timeout=0.5))
        assert ended[0] == grpc.StatusCode.DEADLINE_EXCEEDED, ended
        assert channel.unary_unary("/peer.Peer/WasHungUp")(b"", timeout=60) == b"yes"

        calls = [unary_call.future(b"%d" % i, timeout=60) for i in range(500)]
        assert [call.result() for call in calls] == [b"%d" % i for i in range(500)]


if sys.argv[1] == "server":
    serve()
else:
    ask(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
