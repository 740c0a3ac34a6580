using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>What a TLS client was given.</summary>
/// <param name="Names">DNS names of the server's certificate.</param>
/// <param name="Text">All that came after the request.</param>
internal sealed record Heard(string[] Names, SslProtocols Version, string Protocol, string Text);

/// <summary>TLS by configuration, and clients that are .NET's own.</summary>
internal static class TlsBed
{
    public const string Identity = "spiffe://mesh.example/ns/shop/sa/web";

    public static DataSource Pem(TestAuthority authority) => new() { Inline = Encoding.ASCII.GetString(authority.Pem) };

    public static CertificateConfig Certificate(string name, TlsCertificate certificate) => new()
    {
        Name = name,
        Chain = new DataSource { Inline = Encoding.ASCII.GetString(certificate.ChainPem.Span) },
        Key = new DataSource { Inline = Encoding.ASCII.GetString(certificate.KeyPem) },
    };

    /// <summary>Forwards everything, and tells the client who it is.</summary>
    public static ProxyConfig Config(ClusterConfig cluster, ListenerTls tls, IEnumerable<CertificateConfig> certificates, HttpSettings? http = null)
    {
        var config = HostileBed.Config(cluster, listener => listener with
        {
            Tls = tls,
            Http = http ?? HttpSettings.Default,
            Filters = [new HeaderFilter { Response = new HeaderEdits { Set = [new("x-identity", "%CLIENT_IDENTITY%")] } }],
        });
        return config with { Certificates = [.. certificates] };
    }

    /// <summary>One request on a connection of its own; fails when the handshake does.</summary>
    public static async Task<Heard> AskAsync(IPEndPoint address, string name, X509Certificate2? certificate = null, SslProtocols versions = SslProtocols.None, params string[] alpn)
    {
        await using var tls = await ConnectAsync(address, name, certificate, versions, alpn);
        var protocol = Encoding.ASCII.GetString(tls.NegotiatedApplicationProtocol.Protocol.Span);
        byte[] request = protocol == "h2"
            ? [.. Http2.Support.Frame.ClientPreface, .. Http2.Support.Frame.Headers(1, true, (":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", name)), .. Http2.Support.Frame.GoAway(0)]
            : Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        await tls.WriteAsync(request);
        return new Heard(Names(tls), tls.SslProtocol, protocol, await ReadAsync(tls, protocol == "h2"));
    }

    /// <summary>The handshake fails, or nothing is answered: with TLS 1.3 a client hears of its refusal after its own part is done.</summary>
    public static async Task<bool> IsRefusedAsync(IPEndPoint address, string name, X509Certificate2? certificate = null, SslProtocols versions = SslProtocols.None, params string[] alpn)
    {
        try
        {
            return (await AskAsync(address, name, certificate, versions, alpn)).Text.Length == 0;
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            return true;
        }
    }

    public static async Task<SslStream> ConnectAsync(IPEndPoint address, string name, X509Certificate2? certificate = null, SslProtocols versions = SslProtocols.None, params string[] alpn)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    ApplicationProtocols = alpn.Length == 0 ? null : [.. alpn.Select(protocol => new SslApplicationProtocol(protocol))],
                    EnabledSslProtocols = versions,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null, // what it is, the tests look at
                    LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
                    ClientCertificates = certificate is null ? null : [certificate],
                },
                patience.Token);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    public static string[] Names(SslStream tls) =>
        [.. new X509Certificate2(tls.RemoteCertificate!).Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];

    private static async Task<string> ReadAsync(SslStream tls, bool frames)
    {
        var all = new List<byte>();
        var buffer = new byte[16 << 10];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await tls.ReadAsync(buffer, patience.Token) is var got and > 0)
        {
            all.AddRange(buffer[..got]);
            // A connection of HTTP/2 stays; its answer has come with the end of stream 1's DATA.
            if (frames && RequestCorpusTests.Types(all).Contains(0))
                break;
        }

        return Encoding.Latin1.GetString([.. all]);
    }
}
