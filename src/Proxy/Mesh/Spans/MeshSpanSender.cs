using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Filters;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Otlp;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh.Spans;

/// <summary>Brings spans to a host of the mesh as any request of the front door is brought to one: its endpoints are chosen, and it is reached under mutual TLS where it is in the mesh.</summary>
/// <param name="clusters">Those of now.</param>
internal sealed class MeshSpanSender(CollectorConfig collector, LoopServices services, Func<string, Cluster?> clusters) : ISpanSender
{
    // "Length-Prefixed-Message" of gRPC over HTTP/2: a byte for compression, four for the length.
    private const int Prefix = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);
    private readonly byte[] _authority = Encoding.ASCII.GetBytes(Invariant(collector));
    private readonly byte[] _path = Encoding.ASCII.GetBytes(collector.Path ?? "/opentelemetry.proto.collector.trace.v1.TraceService/Export");

    public string Place => $"{collector.Name} ({Invariant(collector)})";

    private bool IsGrpc => collector.Path is null;

    public async Task<string?> SendAsync(byte[] body, CancellationToken cancellationToken)
    {
        if (clusters($"{collector.Host}:{collector.Port.ToString(CultureInfo.InvariantCulture)}") is not { } cluster)
            return "the mesh has no such host with this port";
        var content = IsGrpc ? Framed(body) : body;
        var head = new RequestHead { Method = "POST"u8, Scheme = "http"u8, Authority = _authority, Target = _path, ContentLength = content.Length };
        head.Headers.Add("content-type"u8, IsGrpc ? "application/grpc"u8 : "application/x-protobuf"u8);
        if (IsGrpc)
            head.Headers.Add("te"u8, "trailers"u8);
        var answer = new Answer(IsGrpc);
        AsideCall.Start(services, cluster, head, Patience, answer, content, IsGrpc, ConnectionFacts.OfProxy);
        return await answer.Task.WaitAsync(cancellationToken);
    }

    private static string Invariant(CollectorConfig collector) => string.Create(CultureInfo.InvariantCulture, $"{collector.Host}:{collector.Port}");

    private static byte[] Framed(byte[] message)
    {
        var framed = new byte[Prefix + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed, Prefix);
        return framed;
    }

    private sealed class Answer(bool isGrpc) : IAsideHandler
    {
        private readonly TaskCompletionSource<string?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string?> Task => _done.Task;

        public void OnAnswer(ResponseHead? answer, ReadOnlySpan<byte> body) => _done.TrySetResult(answer switch
        {
            null => "it does not answer",
            { Status: < 200 or > 299 } => $"it answers {answer.Status}",
            _ when isGrpc && GrpcStatuses.In(answer.Headers) is not 0 and var status => $"it answers with gRPC's status {status}",
            _ => null,
        });
    }
}
