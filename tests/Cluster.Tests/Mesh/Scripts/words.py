"""gRPC: `serve` answers a word with itself and the caller's metadata `x-who`, and a number with that many words; `call TARGET [AUTHORITIES HOST]` asks both, and prints what came."""
import sys
from concurrent import futures

import grpc


def echo(request, context):
    return request + b" for " + dict(context.invocation_metadata()).get("x-who", "nobody").encode()


def count(request, _):
    yield from (b"%d" % i for i in range(int(request)))


def fail(_, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such word")


if sys.argv[1] == "serve":
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("words.Words", {
        "Echo": grpc.unary_unary_rpc_method_handler(echo), "Count": grpc.unary_stream_rpc_method_handler(count), "Fail": grpc.unary_unary_rpc_method_handler(fail)})])
    server.add_insecure_port("0.0.0.0:8080")
    server.start()
    server.wait_for_termination()

target, tls = sys.argv[2], sys.argv[3:]
channel = grpc.insecure_channel(target) if not tls else grpc.secure_channel(
    target, grpc.ssl_channel_credentials(open(tls[0], "rb").read()), [("grpc.ssl_target_name_override", tls[1]), ("grpc.default_authority", tls[1])])
with channel:
    print(channel.unary_unary("/words.Words/Echo")(b"word", timeout=20, metadata=[("x-who", "me")]).decode())
    print(len(list(channel.unary_stream("/words.Words/Count")(b"200", timeout=20))))
    try:
        channel.unary_unary("/words.Words/Fail")(b"", timeout=20)
    except grpc.RpcError as failed:
        print(failed.code().name, failed.details())
