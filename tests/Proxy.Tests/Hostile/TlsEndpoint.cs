using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>A TLS server of .NET's that answers each request with its own name, and tells whom it saw.</summary>
internal sealed class TlsEndpoint : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate;
    private readonly string _name;
    private readonly bool _asksClients;
    private readonly SslProtocols _versions;
    private readonly Task _serving;
    private readonly ConcurrentBag<(System.Net.Sockets.TcpClient Client, Task Serving)> _clients = [];

    public TlsEndpoint(string name, X509Certificate2 certificate, bool asksClients = false, SslProtocols versions = SslProtocols.None)
    {
        (_name, _certificate, _asksClients, _versions) = (name, certificate, asksClients, versions);
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Names that clients asked for, with the URI of their certificates or nothing.</summary>
    public ConcurrentQueue<(string ServerName, string Client)> Seen { get; } = new();

    public int Requests { get; private set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        foreach (var (client, serving) in _clients)
        {
            client.Dispose();
            await serving;
        }

        _certificate.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _clients.Add((client, ServeAsync(client)));
            }
        }
        catch (Exception over) when (over is SocketException or InvalidOperationException)
        {
            // Stopped: while it accepted (SocketException), or between two accepts (InvalidOperationException, "Not listening").
        }
    }

    private async Task ServeAsync(System.Net.Sockets.TcpClient client)
    {
        using var own = client;
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsServerAsync(
                (_, hello, _, _) => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ClientCertificateRequired = _asksClients,
                    EnabledSslProtocols = _versions,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    RemoteCertificateValidationCallback = (_, shown, _, _) =>
                    {
                        Seen.Enqueue((hello.ServerName, shown is null ? "" : Uri(new X509Certificate2(shown))));
                        return !_asksClients || shown is not null;
                    },
                }),
                null);
            if (!_asksClients)
                Seen.Enqueue((tls.TargetHostName, ""));
            using var reader = new StreamReader(tls, Encoding.ASCII, leaveOpen: true);
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                    continue;
                Requests++;
                await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {_name.Length}\r\n\r\n{_name}"));
            }
        }
        catch (Exception gone) when (gone is IOException or AuthenticationException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static string Uri(X509Certificate2 certificate) =>
        certificate.Extensions["2.5.29.17"] is { } names && Encoding.Latin1.GetString(names.RawData) is var text && text.IndexOf("spiffe://", StringComparison.Ordinal) is var at and >= 0 ? text[at..] : "";
}
