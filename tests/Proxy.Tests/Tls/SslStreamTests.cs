using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Against .NET's SslStream, as client and as server.</summary>
public sealed class SslStreamTests : IDisposable
{
    private readonly TlsFixture _tls = new();

    [Theory]
    [InlineData(SslProtocols.Tls12, "TLSv1.2")]
    [InlineData(SslProtocols.Tls13, "TLSv1.3")]
    public async Task As_server(SslProtocols version, string name)
    {
        using var listener = Loopback.Listen();
        using var server = _tls.Mutual(new() { RequireUsage = true });
        var serving = Task.Run(() =>
        {
            using var stream = new EngineStream(server.Accept(_tls.Pool), listener.Accept(), _tls.Pool);
            Assert.True(stream.Handshake(), stream.Engine.Error);
            var echo = stream.ReadAtLeast(Data.Length).ToArray();
            stream.Plaintext.Clear();
            stream.Write(echo);
            stream.Close();
            while (stream.Pump())
            {
            }

            return (stream.Engine.Version, stream.Engine.ServerName, stream.Engine.PeerClosed);
        });

        using var certificate = _tls.Authority.IssueForDotNet();
        using (var client = new SslStream(new NetworkStream(Loopback.Connect(listener.Port()), ownsSocket: true), leaveInnerStreamOpen: false, Accept))
        {
            await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "a.example", EnabledSslProtocols = version, ClientCertificates = [certificate],
            });
            await client.WriteAsync(Data);
            var echo = new byte[Data.Length];
            await client.ReadExactlyAsync(echo);
            Assert.Equal(Data, echo);
            Assert.Equal(0, await client.ReadAsync(echo)); // close_notify
            await client.ShutdownAsync();
        }

        Assert.Equal((name, "a.example", true), await serving);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "TLSv1.2")]
    [InlineData(SslProtocols.Tls13, "TLSv1.3")]
    public async Task As_client(SslProtocols version, string name)
    {
        using var listener = Loopback.Listen();
        using var certificate = _tls.Authority.IssueForDotNet();
        var serving = Task.Run(async () =>
        {
            await using var server = new SslStream(new NetworkStream(await listener.AcceptAsync(), ownsSocket: true), leaveInnerStreamOpen: false, Accept);
            await server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate, EnabledSslProtocols = version, ClientCertificateRequired = true, ApplicationProtocols = [SslApplicationProtocol.Http2],
            });
            var buffer = new byte[Data.Length];
            await server.ReadExactlyAsync(buffer);
            await server.WriteAsync(buffer);
            await server.ShutdownAsync();
            Assert.NotNull(server.RemoteCertificate);
            Assert.Equal(0, await server.ReadAsync(buffer));
        });

        using var client = _tls.Client(new() { Protocols = ["h2"], RequireProtocol = true, Certificate = _tls.Authority.Issue() });
        using (var stream = new EngineStream(client.Connect(_tls.Pool, "a.example"), Loopback.Connect(listener.Port()), _tls.Pool))
        {
            Assert.True(stream.Handshake(), stream.Engine.Error);
            Assert.Equal((name, "h2"), (stream.Engine.Version, stream.Engine.Protocol));
            stream.Write(Data);
            Assert.True(stream.ReadAtLeast(Data.Length).SequenceEqual(Data));
            while (stream.Pump())
            {
            }

            Assert.True(stream.Engine.PeerClosed);
            stream.Close();
        }

        await serving;
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_no_end()
    {
        using var listener = Loopback.Listen();
        using var server = _tls.Server();
        var serving = Task.Run(() =>
        {
            using var stream = new EngineStream(server.Accept(_tls.Pool), listener.Accept(), _tls.Pool);
            while (stream.Pump())
            {
            }

            return (stream.EndOfStream, stream.Engine.PeerClosed, stream.Engine.Error);
        });
        var socket = Loopback.Connect(listener.Port());
        using (var client = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false, Accept))
        {
            await client.AuthenticateAsClientAsync("a.example");
            socket.Close();
        }

        Assert.Equal((true, false, null), await serving);
    }

    public void Dispose() => _tls.Dispose();

    // Its own trust is not what is tested here.
    private static bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    private static byte[] Data { get; } = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];
}
