using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Mesh.Hbone;

/// <summary>Peers that nobody here wrote: `openssl s_client` and `openssl s_server`.</summary>
public sealed class OpenSslPeerTests : IDisposable
{
    private readonly HboneBed _bed = new();
    private readonly OpenSslTool _tool = new();

    [Fact]
    public async Task A_client_with_a_certificate_of_the_mesh_is_let_in_and_sees_the_pods_identity()
    {
        using var certificate = _bed.Authority.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/client"));
        var output = await ClientAsync(certificate, HboneBed.PodB);
        Assert.Contains("Verify return code: 0 (ok)", output, StringComparison.Ordinal);
        Assert.Contains("ALPN protocol: h2", output, StringComparison.Ordinal);
        Assert.Contains("TLSv1.3", output, StringComparison.Ordinal);
        Assert.DoesNotContain("alert", output, StringComparison.Ordinal);
        var pem = output[output.IndexOf("-----BEGIN", StringComparison.Ordinal)..];
        var text = await RunAsync(["x509", "-noout", "-ext", "subjectAltName"], pem);
        Assert.Contains("URI:spiffe://cluster.local/ns/shop/sa/b", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_refused() =>
        Assert.Contains("alert certificate required", await ClientAsync(null, HboneBed.PodA), StringComparison.Ordinal);

    [Fact]
    public async Task A_client_of_another_authority_is_refused()
    {
        using var other = new TestAuthority("Other authority");
        using var certificate = other.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/client"));
        Assert.Contains("alert unknown ca", await ClientAsync(certificate, HboneBed.PodA), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_version_of_TLS_is_refused()
    {
        using var certificate = _bed.Authority.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/client"));
        Assert.Contains("alert protocol version", await ClientAsync(certificate, HboneBed.PodA, "-tls1_2"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("spiffe://cluster.local/ns/shop/sa/a", true)]
    [InlineData("spiffe://cluster.local/ns/shop/sa/b", false)]
    public void A_server_is_asked_for_its_identity_before_anything_is_sent(string identity, bool good)
    {
        // Another port: the bed's own server has the other one on all addresses.
        var port = FreePort();
        using var bed = new HboneBed(settings => settings with { Port = port, RetryMilliseconds = 10_000 });
        using var certificate = bed.Authority.Issue(Wanted.Workload(identity));
        var (chain, key) = _tool.Save("server", certificate);
        var server = _tool.Start("openssl", "s_server", "-accept", $"{HboneBed.PodA}:{port}", "-cert", chain, "-key", key, "-alpn", "h2", "-tls1_3",
            "-Verify", "1", "-CAfile", _tool.Save("ca.pem", bed.Authority.Pem), "-quiet");
        using var client = bed.Connect(HboneBed.PodA);
        if (good)
        {
            // It speaks no HTTP/2, but prints what it gets: the preface of a client that was content.
            var preface = new char[14];
            Assert.Equal(14, server.StandardOutput.ReadBlock(preface));
            Assert.Equal("PRI * HTTP/2.0", new string(preface));
        }
        else
        {
            Assert.True(HboneBed.IsOver(client));
            server.Kill();
            Assert.Equal("", server.StandardOutput.ReadToEnd());
        }
    }

    private async Task<string> ClientAsync(Proxy.Tls.Settings.TlsCertificate? certificate, IPAddress pod, string version = "-tls1_3")
    {
        string[] own = [];
        if (certificate is not null)
        {
            var (chain, key) = _tool.Save("client", certificate);
            own = ["-cert", chain, "-key", key];
        }

        // With -ign_eof it stays until the server ends the connection: here, for a preface that is none, or an alert.
        var client = _tool.Start("openssl", ["s_client", "-connect", _bed.Address(pod).ToString(), "-CAfile", _tool.Save("ca.pem", _bed.Authority.Pem), "-alpn", "h2", version, "-ign_eof", .. own]);
        var (output, errors) = (client.StandardOutput.ReadToEndAsync(), client.StandardError.ReadToEndAsync());
        try
        {
            await client.StandardInput.WriteLineAsync("this is no preface of HTTP/2");
            client.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        return await output + await errors;
    }

    private async Task<string> RunAsync(string[] arguments, string input)
    {
        Process tool = _tool.Start("openssl", arguments);
        var output = tool.StandardOutput.ReadToEndAsync();
        await tool.StandardInput.WriteAsync(input);
        tool.StandardInput.Close();
        return await output;
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(HboneBed.PodA, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Dispose()
    {
        _tool.Dispose();
        _bed.Dispose();
    }
}
