using System.Buffers.Binary;
using System.Net;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Mesh;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>What one exchange tells metrics, log and traces when it has ended.</summary>
internal sealed class ExchangeRecord(LoopServices services)
{
    private AccessRecord _record;
    private UpstreamEndpoint? _endpoint;
    private bool _reached;
    private TelemetryView _telemetry = TelemetryView.Default;
    private long _started;
    private int _grpcStatus;
    private ulong _trySpan;
    private byte[] _fields = [];
    private int _fieldBytes;

    public long RequestBytes;
    public long ResponseBytes;
    public ResponseFlags Flags;

    /// <param name="telemetry">Of the workload whose side this is.</param>
    public void Begin(long started, TelemetryView telemetry)
    {
        _telemetry = telemetry;
        _record = default;
        (_trySpan, _fieldBytes, _endpoint, _reached) = (0, 0, null, false);
        (_started, _grpcStatus, RequestBytes, ResponseBytes, Flags) = (started, -1, 0, 0, ResponseFlags.None);
    }

    public void AddTry(UpstreamEndpoint endpoint, long nanoseconds, int status, TryOutcome outcome)
    {
        if (endpoint.Number == 0)
            endpoint.Number = services.Names.Texts.Intern(endpoint.Key);
        (_endpoint, _reached) = (endpoint, outcome is TryOutcome.Answered or TryOutcome.Reset or TryOutcome.TimedOut);
        var started = services.Loop.Nanoseconds - nanoseconds - _started;
        _record.AddTry(new Try(
            endpoint.Number, (int)Math.Min(nanoseconds / 1000, int.MaxValue), (short)status, outcome, (int)Math.Clamp(started / 1000, 0, int.MaxValue), _trySpan));
        _trySpan = 0;
    }

    /// <summary>A try begins: what its endpoint is told of the trace. Null: the request is not sampled, and the endpoint has what was written once.</summary>
    public TraceContext? BeginTry(ref Balancing.Rng rng)
    {
        // A workload's side is one span, whatever was tried.
        if (!_record.Sampled || _telemetry.Spans != 0)
            return null;
        _trySpan = Tracer.NonZero(ref rng);
        return new TraceContext(_record.TraceId, _trySpan, true);
    }

    public void NoteSpan(in TraceSpan span) =>
        (_record.TraceId, _record.SpanId, _record.ParentSpanId, _record.Sampled) = (span.Context.TraceId, span.Context.SpanId, span.Parent, span.Context.Sampled == true);

    /// <summary>From the head of an answer without a body, or from its trailers.</summary>
    public void NoteGrpcStatus(HeaderList headers)
    {
        if (GrpcStatuses.In(headers) is var status and >= 0)
            _grpcStatus = status;
    }

    /// <summary>What the client is sent, for a log that asks for fields of it.</summary>
    public void NoteResponse(HeaderList headers, HttpView view)
    {
        if (view.LogFields is { } fields)
            _fieldBytes = fields.Capture(headers, response: true, Fields(), 0);
    }

    /// <param name="status">0: the client went away before there was one.</param>
    public void Write(ExchangeContext context, DownstreamConnection connection, HttpView view, Cluster? cluster, int status, long headAfter)
    {
        var now = services.Loop.Nanoseconds;
        var grpc = context.IsGrpc;
        var names = services.Names.Texts;
        if (cluster is { Number: 0 })
        {
            cluster.Number = names.Intern(cluster.Config.Name);
            cluster.Destination = services.Names.Destinations.Intern(new DestinationLabels { Service = cluster.Config.Name, ServiceName = cluster.Config.Name });
        }

        var mesh = connection.Facts.Mesh;
        var reporter = mesh is { IsInbound: true } || (mesh is null && cluster?.Way.Paths is null) ? Reporter.Destination : Reporter.Source;
        // Whoever sends knows of no certificate but his own.
        var security = reporter == Reporter.Source ? SecurityPolicy.Unknown : connection.Facts.Identity is not null ? SecurityPolicy.MutualTls : SecurityPolicy.None;
        var key = new SeriesKey(
            connection.Source, Destination(mesh, cluster), (short)status, (short)(grpc ? _grpcStatus : -1), Flags, reporter, grpc ? RequestProtocol.Grpc : RequestProtocol.Http, security, _telemetry.Metrics);
        services.Metrics.Record(key, new RequestSample((now - _started) / 1e6, RequestBytes, ResponseBytes));
        // Who is in the mesh has been counted by its own node's proxy, where it called.
        if (_endpoint is { } reached && _reached && !(reporter == Reporter.Destination && mesh is not null && connection.Facts.Identity is not null))
            reached.CountRequest(services.Number);
        _record.Logged = view.Recorded && _telemetry.Logged && (_telemetry.Log is not { } rule || LogCheck.Holds(rule, FactsOf(context, connection, status, grpc)))
            && (status is not (> 0 and < 500) || Flags != ResponseFlags.None || view.RecordedFraction >= 1 || services.Rng.Fraction() < view.RecordedFraction);
        if (!_record.Logged && !_record.Sampled && !services.Access.IsWatched)
            return;
        Fill(context, connection, view, cluster, status, headAfter, now, grpc);
        if (view.LogFields is { } fields)
            _fieldBytes = fields.Capture(context.Request.Headers, response: false, Fields(), _fieldBytes);
        else if (_record.Sampled && _telemetry.Fields is { } tags)
            _fieldBytes = tags.Capture(context.Request.Headers, response: false, Fields(), 0);
        services.Access.Write(_record, new AccessTexts
        {
            Method = context.Request.Method,
            Authority = context.Facts.Host.Authority,
            Path = context.Facts.Path.Target,
            UserAgent = context.Request.Headers.TryGet(KnownHeader.UserAgent, out var agent) ? agent : default,
            ForwardedFor = context.Request.Headers.TryGet(KnownHeader.XForwardedFor, out var forwarded) ? forwarded : default,
            RequestId = context.Request.Headers.TryGet(KnownHeader.XRequestId, out var id) ? id : default,
            ServerName = connection.Facts.ServerNameText,
            Fields = _fields.AsSpan(0, _fieldBytes),
        });
    }

    private LogFacts FactsOf(ExchangeContext context, DownstreamConnection connection, int status, bool grpc) => new()
    {
        Status = status, GrpcStatus = grpc ? _grpcStatus : -1, Method = context.Request.Method, Host = context.Facts.Host.Authority, Path = context.Facts.Path.Target,
        // Who sends knows of his own certificate only.
        MutualTls = connection.Facts.Mesh is { IsInbound: true } && connection.Facts.Identity is not null, RequestBytes = RequestBytes, ResponseBytes = ResponseBytes, Headers = context.Request.Headers,
    };

    private int Destination(MeshConnection? mesh, Cluster? cluster)
    {
        if (cluster?.Way.Paths is { } paths && _endpoint is { } endpoint)
            return endpoint.Destination != 0 ? endpoint.Destination : endpoint.Destination = services.Names.Destinations.Intern(paths.LabelsOf(cluster, endpoint));
        return mesh is not null ? services.Names.Destinations.Intern(mesh.Destination) : cluster?.Destination ?? 0;
    }

    // Once for each exchange, and only where a log asks for fields.
    private byte[] Fields() => _fields.Length > 0 ? _fields : _fields = new byte[LogFields.MaxBytes];

    private void Fill(ExchangeContext context, DownstreamConnection connection, HttpView view, Cluster? cluster, int status, long headAfter, long now, bool grpc)
    {
        var names = services.Names.Texts;
        var duration = (now - _started) / 1000;
        _record.StartMicroseconds = ((services.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10) - duration;
        _record.DurationMicroseconds = duration;
        _record.UpstreamMicroseconds = headAfter < 0 ? -1 : headAfter / 1000;
        (_record.RequestBytes, _record.ResponseBytes, _record.Flags) = (RequestBytes, ResponseBytes, Flags);
        (_record.Status, _record.GrpcStatus) = ((short)status, (short)(grpc ? _grpcStatus : -1));
        _record.Listener = view.Number;
        _record.Spans = _telemetry.Spans;
        if (context.Route is { } route)
        {
            if (route.Number == 0)
                (route.Number, route.HostNumber) = (names.Intern(route.Name), names.Intern(route.Host));
            (_record.Route, _record.VirtualHost) = (route.Number, route.HostNumber);
        }

        _record.Cluster = cluster?.Number ?? 0;
        _record.UpstreamTls = cluster?.Way.Tls is not null;
        _record.Identity = connection.Facts.Identity is { } identity ? names.Intern(identity) : 0;
        if (connection.Facts.Mesh is { } mesh)
        {
            _record.Source = mesh.Source is { } source ? names.Intern(source.Name) : 0;
            _record.Service = mesh.Service is { } service ? names.Intern(service) : 0;
        }

        _record.Policy = context.Policy is { } policy ? names.Intern(policy) : 0;
        _record.PolicyRule = (short)Math.Min(context.PolicyRule, short.MaxValue);
        _record.DryRunPolicy = context.Findings.Count > 0 ? names.Intern(context.Findings[0].Policy) : 0;
        _record.Detail = context.Detail is { } detail ? names.Intern(detail) : 0;
        _record.ClientAddress = Number(connection.Facts.Source.Address);
        _record.ClientPort = (ushort)connection.Facts.Source.Port;
        _record.LocalAddress = Number(connection.Facts.Destination.Address);
        _record.LocalPort = (ushort)connection.Facts.Destination.Port;
        _record.Tls = connection.Facts.IsTls;
        _record.HttpVersion = connection.HttpVersion;
    }

    internal static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length))
            return 0;
        // IPv4-mapped, RFC 4291 section 2.5.5.2.
        return length == 4 ? ((UInt128)0xFFFF << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
