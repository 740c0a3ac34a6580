using System.Buffers.Binary;
using System.Net;
using System.Text;
using Weft.Proxy.Telemetry.Access;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>
/// Records as the spans of OTLP (opentelemetry-proto, trace/v1/trace.proto), attributes named by OpenTelemetry's semantic conventions for HTTP. The numbers are the fields of those
/// messages.
/// </summary>
internal sealed class SpanEncoder(InternTable<string> names, string serviceName)
{
    private const int KindServer = 2;
    private const int StatusError = 2;
    private readonly ProtobufWriter _spans = new(), _span = new(), _pair = new(), _value = new();

    public int Count { get; private set; }

    public int Bytes => _spans.Written.Length;

    public void Add(in AccessRecord record, in AccessTexts texts)
    {
        _span.Clear();
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(id, record.TraceId);
        _span.Bytes(1, id);
        BinaryPrimitives.WriteUInt64BigEndian(id, record.SpanId);
        _span.Bytes(2, id[..8]);
        if (record.ParentSpanId != 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(id, record.ParentSpanId);
            _span.Bytes(4, id[..8]);
        }

        var method = Encoding.UTF8.GetString(texts.Method);
        // A name of few values, as the conventions ask: the route's, never the path.
        _span.Text(5, record.Route == 0 ? method : $"{method} {names[record.Route]}");
        _span.Number(6, KindServer);
        _span.Fixed64(7, (ulong)record.StartMicroseconds * 1000);
        _span.Fixed64(8, (ulong)(record.StartMicroseconds + record.DurationMicroseconds) * 1000);
        Attribute("http.request.method", method);
        // Without the query: it is where secrets are.
        var path = texts.Path.IndexOf((byte)'?') is >= 0 and var query ? texts.Path[..query] : texts.Path;
        Attribute("url.path", Encoding.UTF8.GetString(path));
        Attribute("url.scheme", record.Tls ? "https" : "http");
        Attribute("server.address", Encoding.UTF8.GetString(texts.Authority));
        Attribute("network.protocol.version", record.HttpVersion switch { 20 => "2", 10 => "1.0", _ => "1.1" });
        Attribute("http.response.status_code", record.Status);
        Attribute("client.address", Client(record));
        if (!texts.UserAgent.IsEmpty)
            Attribute("user_agent.original", Encoding.UTF8.GetString(texts.UserAgent));
        if (record.GrpcStatus >= 0)
            Attribute("rpc.grpc.status_code", record.GrpcStatus);
        if (record.Cluster != 0)
            Attribute("upstream_cluster", names[record.Cluster]);
        if (record.TryCount > 0)
        {
            Attribute("upstream_address", names[record.Tries[record.TryCount - 1].Endpoint]);
            Attribute("http.request.resend_count", record.TryCount - 1);
        }

        if (record.Flags != ResponseFlags.None)
            Attribute("response_flags", ResponseFlagText.Of(record.Flags));
        if (record.Status is 0 or >= 500)
        {
            _value.Clear();
            _value.Number(3, StatusError);
            _span.Message(15, _value);
        }

        _spans.Message(2, _span);
        Count++;
    }

    /// <summary>One ExportTraceServiceRequest with all that was added; begins anew.</summary>
    public byte[] Take()
    {
        var resource = new ProtobufWriter();
        Pair("service.name", serviceName);
        resource.Message(1, _pair);
        var scope = new ProtobufWriter();
        scope.Text(1, "weft");
        var inner = new ProtobufWriter();
        inner.Message(1, scope);
        // Already framed as repeated field 2 of ScopeSpans.
        var scopeSpans = new byte[inner.Written.Length + _spans.Written.Length];
        inner.Written.CopyTo(scopeSpans);
        _spans.Written.CopyTo(scopeSpans.AsMemory(inner.Written.Length));
        var resourceSpans = new ProtobufWriter();
        resourceSpans.Message(1, resource);
        resourceSpans.Bytes(2, scopeSpans);
        var request = new ProtobufWriter();
        request.Message(1, resourceSpans);
        _spans.Clear();
        Count = 0;
        return request.Written.ToArray();
    }

    private void Attribute(string key, string value)
    {
        Pair(key, value);
        _span.Message(9, _pair);
    }

    private void Attribute(string key, long value)
    {
        _value.Clear();
        _value.Number(3, value);
        Pair(key);
        _span.Message(9, _pair);
    }

    private void Pair(string key, string value)
    {
        _value.Clear();
        _value.Text(1, value);
        Pair(key);
    }

    private void Pair(string key)
    {
        _pair.Clear();
        _pair.Text(1, key);
        _pair.Message(2, _value);
    }

    private static string Client(in AccessRecord record)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, record.ClientAddress);
        var address = new IPAddress(bytes);
        return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
    }
}
