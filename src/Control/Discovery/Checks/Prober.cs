using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Checks;

/// <summary>What one check found.</summary>
public readonly record struct ProbeResult(CheckStatus Status, string Output);

/// <summary>Makes checks: HTTP, TCP, gRPC.</summary>
public sealed class Prober(TimeProvider time) : IDisposable
{
    // Consul keeps as much of an answer.
    private const int MaxOutput = 4096;

    private readonly HttpClient _http = Client(verifies: true);
    private readonly HttpClient _trusting = Client(verifies: false);

    public async Task<ProbeResult> RunAsync(CheckDefinition definition, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(definition.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return definition.Type switch
            {
                "http" => await HttpAsync(definition, either.Token),
                "tcp" => await TcpAsync(definition.Tcp!, either.Token),
                _ => await GrpcAsync(definition, either.Token),
            };
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new(CheckStatus.Critical, $"no answer within {definition.Timeout.TotalSeconds:0.###} s");
        }
        catch (Exception failed) when (failed is HttpRequestException or SocketException or IOException or UriFormatException or InvalidOperationException or NotSupportedException or FormatException)
        {
            return new(CheckStatus.Critical, failed.Message);
        }
    }

    private async Task<ProbeResult> HttpAsync(CheckDefinition definition, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new HttpMethod(definition.Method), definition.Http);
        if (definition.Body.Length > 0)
            request.Content = new StringContent(definition.Body);
        request.Headers.TryAddWithoutValidation("User-Agent", "Weft Health Check");
        foreach (var (name, values) in definition.Headers)
        {
            if (name.Equals("host", StringComparison.OrdinalIgnoreCase))
                request.Headers.Host = values.FirstOrDefault();
            else if (!request.Headers.TryAddWithoutValidation(name, values))
                request.Content?.Headers.TryAddWithoutValidation(name, values);
        }

        using var response = await (definition.TlsSkipVerify ? _trusting : _http).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var body = await ReadAsync(response, cancellationToken);
        var status = (int)response.StatusCode switch { >= 200 and < 300 => CheckStatus.Passing, 429 => CheckStatus.Warning, _ => CheckStatus.Critical };
        return new(status, $"HTTP {definition.Method} {definition.Http}: {(int)response.StatusCode} {response.ReasonPhrase} Output: {Encoding.UTF8.GetString(body)}");
    }

    private static async Task<ProbeResult> TcpAsync(string target, CancellationToken cancellationToken)
    {
        var (host, port) = HostPort(target);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host, port, cancellationToken);
        return new(CheckStatus.Passing, $"TCP connect {target}: Success");
    }

    // grpc.health.v1.Health/Check: a request with one string, an answer with one enum, of which 1 is SERVING.
    private async Task<ProbeResult> GrpcAsync(CheckDefinition definition, CancellationToken cancellationToken)
    {
        var slash = definition.Grpc!.IndexOf('/');
        var (target, service) = slash < 0 ? (definition.Grpc, "") : (definition.Grpc[..slash], definition.Grpc[(slash + 1)..]);
        var name = Encoding.UTF8.GetBytes(service);
        if (name.Length > 127)
            return new(CheckStatus.Critical, "the gRPC service has a name of more than 127 bytes");
        byte[] message = name.Length == 0 ? [] : [0x0A, (byte)name.Length, .. name];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{(definition.GrpcUseTls ? "https" : "http")}://{target}/grpc.health.v1.Health/Check")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        using var response = await (definition.TlsSkipVerify ? _trusting : _http).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var body = await ReadAsync(response, cancellationToken);
        var code = response.TrailingHeaders.TryGetValues("grpc-status", out var trailer) ? trailer.First() : response.Headers.TryGetValues("grpc-status", out var header) ? header.First() : "0";
        var serves = response.IsSuccessStatusCode && code == "0" && body is [0, _, _, _, _, 0x08, 1, ..];
        return serves
            ? new(CheckStatus.Passing, $"gRPC check {definition.Grpc}: success")
            : new(CheckStatus.Critical, $"gRPC check {definition.Grpc}: not serving (HTTP {(int)response.StatusCode}, gRPC status {code})");
    }

    /// <summary>`10.0.0.1:80`, `[::1]:80`, `db:5432`.</summary>
    /// <exception cref="FormatException"/>
    public static (string Host, int Port) HostPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? (text[..colon].Trim('[', ']'), port)
            : throw new FormatException($"'{text}' is not HOST:PORT");
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxOutput];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return buffer[..length];
    }

    // A check is whether a new connection works, so none is kept. A redirect is another place than the one that was registered.
    private static HttpClient Client(bool verifies)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero };
        if (!verifies)
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        return new(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose()
    {
        _http.Dispose();
        _trusting.Dispose();
    }
}
