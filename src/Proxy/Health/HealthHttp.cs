using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Weft.Proxy.Health;

/// <summary>
/// The HTTP client of checks. Each check makes its own connection: one that was kept would not notice that an endpoint takes no new ones. It connects to the address it is
/// given, whatever the URI's host is, and follows nothing: a check must not be led elsewhere.
/// </summary>
/// <param name="first">In front of everything else: that the proxy speaks for itself (PROXY protocol).</param>
internal sealed class HealthHttp(SslClientAuthenticationOptions? tls, byte[]? first = null) : IDisposable
{
    private static readonly HttpRequestOptionsKey<IPEndPoint> Address = new("weft.address");

    private readonly HttpMessageInvoker _http = new(Handler(tls, first));

    public string Scheme => tls is null ? "http" : "https";

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, IPEndPoint address, CancellationToken cancellationToken)
    {
        request.Options.Set(Address, address);
        return await _http.SendAsync(request, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>What went wrong, in a few words.</summary>
    public static string Reason(HttpRequestException failed) => failed.HttpRequestError switch
    {
        HttpRequestError.ConnectionError when failed.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "connection refused",
        HttpRequestError.SecureConnectionError => "TLS handshake failed: " + (failed.InnerException?.Message ?? failed.Message),
        HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError => "no valid answer",
        _ => failed.InnerException?.Message ?? failed.Message,
    };

    private static SocketsHttpHandler Handler(SslClientAuthenticationOptions? tls, byte[]? first)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = 64,
            ConnectCallback = async (context, token) =>
            {
                context.InitialRequestMessage.Options.TryGetValue(Address, out var address);
                var socket = new Socket(address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(address, token);
                    if (first is not null)
                        await socket.SendAsync(first, token);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        if (tls is not null)
            handler.SslOptions = tls;
        return handler;
    }
}
