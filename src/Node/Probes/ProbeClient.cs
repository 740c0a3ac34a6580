using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Weft.Api.Core;
using Weft.Api.Streams;
using Weft.Node.Network;
using Weft.Node.Runtime;

namespace Weft.Node.Probes;

/// <summary>Whom a probe or hook asks.</summary>
internal sealed record ProbeTarget(Container Container, string ContainerId, string PodIp);

/// <summary>Asks a container how it is: by HTTP, TCP or gRPC to the pod's address from the host, or by a command inside.</summary>
internal sealed class ProbeClient(IPodRuntime runtime, TimeProvider time) : IDisposable
{
    // As much of an answer as an event can show.
    private const int MaxOutput = 10 * 1024;

    // A probe checks that a new connection works, so none is kept. Certificates of pods are their own affair.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = static (context, token) => MarkedConnect.ConnectAsync(context.DnsEndPoint, token),
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    public async Task<ProbeOutcome> RunAsync(Probe probe, ProbeTarget target, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(ProbeTimes.Timeout(probe), time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            if (probe.HttpGet is { } http)
                return await HttpAsync(http, target, linked.Token);
            if (probe.TcpSocket is { } tcp)
                return await TcpAsync(tcp, target, linked.Token);
            if (probe.Grpc is { } grpc)
                return await GrpcAsync(grpc, target, linked.Token);
            if (probe.Exec is { } exec)
                return await ExecAsync(exec.Command, target, linked.Token);
            return ProbeOutcome.Failed("the probe has no handler: set exec, httpGet, tcpSocket or grpc");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return ProbeOutcome.Failed($"no answer within {ProbeTimes.Timeout(probe).TotalSeconds:0} s");
        }
    }

    /// <summary>A postStart or preStop hook.</summary>
    public async Task<ProbeOutcome> RunHookAsync(LifecycleHandler hook, ProbeTarget target, CancellationToken cancellationToken)
    {
        if (hook.Exec is { } exec)
            return await ExecAsync(exec.Command, target, cancellationToken);
        if (hook.HttpGet is { } http)
            return await HttpAsync(http, target, cancellationToken);
        if (hook.Sleep is { } sleep)
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(sleep.Seconds, 0)), time, cancellationToken);
        return ProbeOutcome.Ok;
    }

    private async Task<ProbeOutcome> HttpAsync(HTTPGetAction action, ProbeTarget target, CancellationToken cancellationToken)
    {
        if (Ports.Resolve(action.Port, target.Container) is not { } port)
            return ProbeOutcome.Failed($"port '{action.Port}' is no port of the container");
        var scheme = action.Scheme?.Equals("HTTPS", StringComparison.OrdinalIgnoreCase) == true ? "https" : "http";
        var path = action.Path is { Length: > 0 } given ? given.StartsWith('/') ? given : "/" + given : "/";
        if (!Uri.TryCreate($"{scheme}://{Bracketed(action.Host is { Length: > 0 } host ? host : target.PodIp)}:{port}{path}", UriKind.Absolute, out var uri))
            return ProbeOutcome.Failed($"'{path}' is no path");
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.33");   // servers keep probes out of their logs by this name
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        foreach (var header in action.HttpHeaders)
        {
            if (header.Name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                request.Headers.Host = header.Value;
            else
                request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return (int)response.StatusCode is >= 200 and < 400 ? ProbeOutcome.Ok : ProbeOutcome.Failed($"HTTP probe failed with statuscode: {(int)response.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            return ProbeOutcome.Failed($"Get \"{uri}\": {e.InnerException?.Message ?? e.Message}");
        }
    }

    private static async Task<ProbeOutcome> TcpAsync(TCPSocketAction action, ProbeTarget target, CancellationToken cancellationToken)
    {
        if (Ports.Resolve(action.Port, target.Container) is not { } port)
            return ProbeOutcome.Failed($"port '{action.Port}' is no port of the container");
        var host = action.Host is { Length: > 0 } given ? given : target.PodIp;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            MarkedConnect.Mark(socket);
            await socket.ConnectAsync(host, port, cancellationToken);
            return ProbeOutcome.Ok;
        }
        catch (SocketException e)
        {
            return ProbeOutcome.Failed($"dial tcp {host}:{port}: {e.Message}");
        }
    }

    /// <summary>grpc.health.v1.Health/Check over HTTP/2 without TLS: a request of one string, an answer of one enum.</summary>
    private async Task<ProbeOutcome> GrpcAsync(GRPCAction action, ProbeTarget target, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Bracketed(target.PodIp)}:{action.Port}/grpc.health.v1.Health/Check")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcHealth.Request(action.Service ?? "")),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var body = await ReadLimitedAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken);
            var status = Trailer(response, "grpc-status");
            if (status is not (null or "0"))
                return ProbeOutcome.Failed($"service unhealthy: grpc status {status} {Trailer(response, "grpc-message")}".TrimEnd());
            return GrpcHealth.IsServing(body) ? ProbeOutcome.Ok : ProbeOutcome.Failed("service unhealthy (responded with a state other than SERVING)");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return ProbeOutcome.Failed($"grpc {target.PodIp}:{action.Port}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    private static string? Trailer(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? values.FirstOrDefault() : null;

    private async Task<ProbeOutcome> ExecAsync(IReadOnlyList<string> command, ProbeTarget target, CancellationToken cancellationToken)
    {
        using var output = new LimitedStream(MaxOutput);
        try
        {
            var exit = await runtime.ExecAsync(target.ContainerId, command, new ContainerStreams(null, output, output, false, null), cancellationToken);
            return exit == 0 ? ProbeOutcome.Ok : ProbeOutcome.Failed(output.Text() is { Length: > 0 } text ? text : $"command exited with code {exit}");
        }
        catch (Exception e) when (e is RuntimeException or IOException)
        {
            return ProbeOutcome.Failed(e.Message);
        }
    }

    private static async Task<byte[]> ReadLimitedAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxOutput];
        var n = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return buffer[..n];
    }

    private static string Bracketed(string host) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;

    public void Dispose() => _http.Dispose();
}

/// <summary>The two messages of grpc.health.v1 that a probe needs.</summary>
internal static class GrpcHealth
{
    private const byte Serving = 1;

    /// <summary>A length-prefixed HealthCheckRequest: field 1, the service's name.</summary>
    public static byte[] Request(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        // Names of more than 127 bytes would need a second length byte; Kubernetes' own limit for the field is far lower in practice.
        if (name.Length > 127)
            name = name[..127];
        byte[] message = name.Length == 0 ? [] : [0x0a, (byte)name.Length, .. name];
        return [0, 0, 0, 0, (byte)message.Length, .. message];
    }

    /// <summary>Whether a length-prefixed HealthCheckResponse says SERVING (field 1, value 1).</summary>
    public static bool IsServing(ReadOnlySpan<byte> framed) => framed.Length >= 7 && framed[0] == 0 && framed[5] == 0x08 && framed[6] == Serving;
}

/// <summary>Keeps the first bytes, drops the rest.</summary>
internal sealed class LimitedStream(int limit) : MemoryStream
{
    private readonly Lock _gate = new();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
            base.Write(buffer[..(int)Math.Min(buffer.Length, Math.Max(limit - Length, 0))]);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public string Text()
    {
        lock (_gate)
            return Encoding.UTF8.GetString(ToArray()).Trim();
    }
}
