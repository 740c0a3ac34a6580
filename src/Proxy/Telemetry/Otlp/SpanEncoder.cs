using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Weft.Proxy.Protobuf;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>
/// Records as the spans of OTLP (opentelemetry-proto, trace/v1/trace.proto): one of kind server for the request, one of kind client for each try at an endpoint. Attributes are OpenTelemetry's
/// semantic conventions for HTTP spans, and those that Istio's users look for (`upstream_cluster`, `response_flags`, `guid:x-request-id`). The numbers are the fields of those messages.
/// </summary>
/// <param name="resource">Who the spans are of.</param>
internal sealed class SpanEncoder(InternTable<string> names, SpanResource resource)
{
    private const int KindServer = 2, KindClient = 3;
    private const int StatusError = 2;
    // The methods that the conventions know; all others are one name, for strangers make them up.
    private static readonly HashSet<string> Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    private readonly ProtobufWriter _spans = new(), _span = new(), _pair = new(), _value = new();

    /// <summary>Spans that wait for <see cref="Take"/>.</summary>
    public int Count { get; private set; }

    /// <param name="source">Of a workload's side, which is one span; null: of a proxy that stands by itself.</param>
    public void Add(in AccessRecord record, in AccessTexts texts, SpanSource? source = null)
    {
        var sent = Encoding.UTF8.GetString(texts.Method);
        var method = Methods.Contains(sent) ? sent : "_OTHER";
        // Without the query: it is where secrets are.
        var path = Encoding.UTF8.GetString(texts.Path.IndexOf((byte)'?') is >= 0 and var query ? texts.Path[..query] : texts.Path);
        Server(record, texts, method, sent, path, source);
        for (var i = 0; i < record.TryCount; i++)
        {
            if (record.Tries[i].Span != 0)
                Client(record, i, method, Encoding.UTF8.GetString(texts.Authority), path);
        }
    }

    /// <summary>One ExportTraceServiceRequest with all that was added; begins anew.</summary>
    public byte[] Take()
    {
        var about = new ProtobufWriter();
        foreach (var (key, value) in ((string, string)[])[("service.name", resource.Service), ("k8s.namespace.name", resource.Namespace), ("k8s.pod.name", resource.Pod), ("k8s.node.name", resource.Node)])
        {
            if (value.Length == 0)
                continue;
            Pair(key, value);
            about.Message(1, _pair);
        }

        var scope = new ProtobufWriter();
        scope.Text(1, "weft");
        var inner = new ProtobufWriter();
        inner.Message(1, scope);
        // Already framed as repeated field 2 of ScopeSpans.
        var scopeSpans = new byte[inner.Written.Length + _spans.Written.Length];
        inner.Written.CopyTo(scopeSpans);
        _spans.Written.CopyTo(scopeSpans.AsMemory(inner.Written.Length));
        var resourceSpans = new ProtobufWriter();
        resourceSpans.Message(1, about);
        resourceSpans.Bytes(2, scopeSpans);
        var request = new ProtobufWriter();
        request.Message(1, resourceSpans);
        _spans.Clear();
        Count = 0;
        return request.Written.ToArray();
    }

    private void Server(in AccessRecord record, in AccessTexts texts, string method, string sent, string path, SpanSource? source)
    {
        // A name of few values, as the conventions ask: the route's, never the path.
        Begin(record.TraceId, record.SpanId, record.ParentSpanId, record.Route == 0 ? Verb(method) : $"{Verb(method)} {names[record.Route]}", source is { IsClient: true } ? KindClient : KindServer);
        Times(record.StartMicroseconds, record.DurationMicroseconds);
        Common(method, sent, path, record.Tls ? "https" : "http");
        Place("server", Encoding.UTF8.GetString(texts.Authority));
        Attribute("network.protocol.version", record.HttpVersion switch { 20 => "2", 10 => "1.0", _ => "1.1" });
        var client = Address(record.ClientAddress);
        Attribute("client.address", client);
        Attribute("network.peer.address", client);
        Attribute("network.peer.port", record.ClientPort);
        if (!texts.UserAgent.IsEmpty)
            Attribute("user_agent.original", Encoding.UTF8.GetString(texts.UserAgent));
        if (!texts.RequestId.IsEmpty)
            Attribute("guid:x-request-id", Encoding.UTF8.GetString(texts.RequestId));
        Attribute("http.request.body.size", record.RequestBytes);
        Attribute("http.response.body.size", record.ResponseBytes);
        if (record.Route != 0)
            Attribute("weft.route", names[record.Route]);
        if (record.Cluster != 0)
            Attribute("upstream_cluster", names[record.Cluster]);
        if (record.Flags != ResponseFlags.None)
            Attribute("response_flags", ResponseFlagText.Of(record.Flags));
        if (record.Detail != 0)
            Attribute("response_code_details", names[record.Detail]);
        if (record.GrpcStatus >= 0)
            Attribute("rpc.grpc.status_code", record.GrpcStatus);
        if (source is not null)
            Workload(record, texts, source);
        Outcome(record.Status, errorsFrom: source is { IsClient: true } ? 400 : 500, record.Flags == ResponseFlags.None ? "client_gone" : ResponseFlagText.Of(record.Flags));
        End();
    }

    private void Workload(in AccessRecord record, in AccessTexts texts, SpanSource source)
    {
        if (record.Source != 0)
            Attribute("source.workload", names[record.Source]);
        if (record.Service != 0)
            Attribute("destination.service", names[record.Service]);
        if (record.TryCount > 0)
            Attribute("upstream_address", names[record.Tries[record.TryCount - 1].Endpoint]);
        var number = 0;
        var fields = new Dictionary<string, int>();
        foreach (var tag in source.Tags)
        {
            var value = "";
            if (tag.Header is { } header)
            {
                if (!fields.TryGetValue(header, out var field))
                    fields.Add(header, field = number++);
                value = Encoding.UTF8.GetString(LogFields.Find(texts.Fields, field));
            }

            value = value.Length > 0 ? value : tag.Value ?? "";
            if (value.Length > 0)
                Attribute(tag.Name, value);
        }
    }

    private void Client(in AccessRecord record, int number, string method, string authority, string path)
    {
        var one = record.Tries[number];
        Begin(record.TraceId, one.Span, record.SpanId, method == "_OTHER" ? "HTTP" : method, KindClient);
        // A try is told of when its head has come; what follows it is the rest of the request's time.
        var goesOn = number == record.TryCount - 1 && one.Outcome == TryOutcome.Answered;
        Times(record.StartMicroseconds + one.StartMicroseconds, goesOn ? Math.Max(0, record.DurationMicroseconds - one.StartMicroseconds) : one.Microseconds);
        Attribute("http.request.method", method);
        Attribute("url.full", $"{(record.UpstreamTls ? "https" : "http")}://{authority}{path}");
        var endpoint = names[one.Endpoint];
        Place("server", endpoint);
        Place("network.peer", endpoint);
        if (record.Cluster != 0)
            Attribute("upstream_cluster", names[record.Cluster]);
        if (record.Earlier + number is > 0 and var resent)
            Attribute("http.request.resend_count", resent);
        if (one.Outcome != TryOutcome.Answered)
            Attribute("weft.outcome", OutcomeText(one.Outcome));
        Outcome(one.Status, errorsFrom: 400, OutcomeText(one.Outcome));
        End();
    }

    private void Begin(UInt128 trace, ulong span, ulong parent, string name, int kind)
    {
        _span.Clear();
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(id, trace);
        _span.Bytes(1, id);
        BinaryPrimitives.WriteUInt64BigEndian(id, span);
        _span.Bytes(2, id[..8]);
        if (parent != 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(id, parent);
            _span.Bytes(4, id[..8]);
        }

        _span.Text(5, name);
        _span.Number(6, kind);
    }

    private void Times(long startMicroseconds, long microseconds)
    {
        _span.Fixed64(7, (ulong)startMicroseconds * 1000);
        _span.Fixed64(8, (ulong)(startMicroseconds + microseconds) * 1000);
    }

    private void Common(string method, string sent, string path, string scheme)
    {
        Attribute("http.request.method", method);
        if (method != sent)
            Attribute("http.request.method_original", sent);
        Attribute("url.path", path);
        Attribute("url.scheme", scheme);
    }

    // `name:port`, `[::1]:port` or a name alone.
    private void Place(string prefix, string place)
    {
        var colon = place.LastIndexOf(':');
        var hasPort = colon > place.LastIndexOf(']') && place.IndexOf(':', StringComparison.Ordinal) is var first && (first == colon || place[0] == '[')
            && int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        Attribute($"{prefix}.address", (hasPort ? place[..colon] : place).Trim('[', ']'));
        if (hasPort)
            Attribute($"{prefix}.port", int.Parse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    // A client takes 4xx for its own mistake, so for a server it is none.
    private void Outcome(int status, int errorsFrom, string without)
    {
        if (status > 0)
            Attribute("http.response.status_code", status);
        if (status > 0 && status < errorsFrom)
            return;
        Attribute("error.type", status > 0 ? status.ToString(CultureInfo.InvariantCulture) : without);
        _value.Clear();
        _value.Number(3, StatusError);
        _span.Message(15, _value);
    }

    private void End()
    {
        _spans.Message(2, _span);
        Count++;
    }

    private static string Verb(string method) => method == "_OTHER" ? "HTTP" : method;

    private static string OutcomeText(TryOutcome outcome) => outcome switch
    {
        TryOutcome.Answered => "answered",
        TryOutcome.ConnectFailed => "connect_failed",
        TryOutcome.Reset => "reset",
        TryOutcome.TimedOut => "timed_out",
        TryOutcome.Overflow => "pool_full",
        TryOutcome.Refused => "refused",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

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

    private static string Address(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        var address = new IPAddress(bytes);
        return address.Plain().ToString();
    }
}
