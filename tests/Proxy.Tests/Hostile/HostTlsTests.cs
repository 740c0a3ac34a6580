using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>One port, several kinds of TLS: a.example asks for nothing, b.example for a certificate, c.example is passed on. The name that a client asks for decides.</summary>
public sealed class HostTlsTests : IAsyncDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _clients = new("Clients");
    private readonly ScriptedUpstream _upstream = new(Answer.Ok);
    private readonly TlsEndpoint _passed;
    private readonly X509Certificate2 _client;

    public HostTlsTests()
    {
        _passed = new TlsEndpoint("passed", _authority.IssueForDotNet(new Wanted { Dns = ["c.example"] }));
        _client = _clients.IssueForDotNet(Wanted.Workload(TlsBed.Identity));
    }

    public async ValueTask DisposeAsync()
    {
        await _passed.DisposeAsync();
        _client.Dispose();
        _upstream.Dispose();
        _authority.Dispose();
        _clients.Dispose();
    }

    private static ListenerTlsHost Simple { get; } = new() { Names = ["a.example"], Certificates = ["a"] };

    private ListenerTlsHost Mutual => new()
    {
        Names = ["b.example", "*.b.example"], Rules = "mutual", Certificates = ["b"], ClientCertificates = ClientCertificates.Required, ClientAuthorities = TlsBed.Pem(_clients),
    };

    private ListenerTls Tls(params ListenerTlsHost[] more) => new() { Hosts = [Simple, Mutual, .. more], Passthrough = ["c.example"] };

    private ProxyConfig Config(ListenerTls tls, Func<ListenerConfig, ListenerConfig>? more = null)
    {
        // Each certificate is good for all names: what a client may take for its connection (RFC 9113 section 9.1.1) is more than it was made for.
        var all = new Wanted { Dns = ["a.example", "b.example", "*.b.example", "c.example", "d.example"] };
        var config = TlsBed.Config(HostileBed.Cluster(_upstream.Address), tls, [TlsBed.Certificate("a", _authority.Issue(all)), TlsBed.Certificate("b", _authority.Issue(all))]);
        var listener = config.Listeners[0] with { ConnectionRoutes = tls.Passthrough.IsEmpty ? [] : [new ConnectionRoute { ServerNames = ["c.example"], Clusters = [new WeightedCluster { Cluster = "passed" }] }] };
        return config with
        {
            Listeners = [more?.Invoke(listener) ?? listener],
            Clusters = [.. config.Clusters, HostileBed.Cluster(_passed.Address) with { Name = "passed" }],
        };
    }

    private Task<HostileBed> StartAsync(params ListenerTlsHost[] more) => HostileBed.StartAsync(Config(Tls(more)));

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Each_name_has_its_own_kind(SslProtocols version)
    {
        await using var bed = await StartAsync();
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "a.example", null, version)).Text);
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "b.example", null, version));
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "x.b.example", null, version));
        var mutual = await TlsBed.AskAsync(bed.Address, "b.example", _client, version);
        Assert.StartsWith("HTTP/1.1 200 ", mutual.Text);
        Assert.Contains($"x-identity: {TlsBed.Identity}\r\n", mutual.Text, StringComparison.Ordinal);

        await using var tls = await TlsBed.ConnectAsync(bed.Address, "C.example", null, version);
        Assert.Equal(["c.example"], TlsBed.Names(tls));
        Assert.EndsWith("passed", await AskAsync(tls, "c.example"), StringComparison.Ordinal);
        Assert.All(_passed.Seen, seen => Assert.Equal("C.example", seen.ServerName)); // as the client wrote it
        await tls.DisposeAsync();
        await bed.NothingLeftAsync();
    }

    /// <summary>RFC 9110 section 15.5.20.</summary>
    [Theory]
    [InlineData("a.example", "a.example", 200)]
    [InlineData("a.example", "A.example:443", 200)]
    [InlineData("a.example", "b.example", 421)]
    [InlineData("a.example", "B.EXAMPLE.", 421)]
    [InlineData("a.example", "b.example:443", 421)]
    [InlineData("a.example", "deep.x.b.example", 421)]
    [InlineData("a.example", "c.example", 421)]
    [InlineData("b.example", "a.example", 421)]
    [InlineData("b.example", "b.example", 200)]
    [InlineData("unknown.example", "b.example", 421)]
    [InlineData("unknown.example", "a.example", 200)]
    [InlineData("127.0.0.1", "b.example", 421)] // .NET asks for no name then
    public async Task A_connection_is_for_hosts_of_its_own_kind(string asked, string host, int status)
    {
        await using var bed = await StartAsync();
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var client = Client(bed.Address, asked, asked == "b.example" ? _client : null, version == HttpVersion.Version20 ? "h2" : "http/1.1");
            using var request = new HttpRequestMessage(HttpMethod.Get, "http://any.example/") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Headers = { Host = host } };
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal((status, version), ((int)response.StatusCode, response.Version));
        }
    }

    [Fact]
    public async Task One_connection_goes_on_after_a_request_that_was_not_for_it()
    {
        await using var bed = await StartAsync();
        await using var tls = await TlsBed.ConnectAsync(bed.Address, "a.example", alpn: "http/1.1");
        Assert.StartsWith("HTTP/1.1 421 ", await AskAsync(tls, "b.example"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(tls, "a.example"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_of_before_does_not_reach_a_host_that_asks_for_certificates_since()
    {
        await using var bed = await HostileBed.StartAsync(Config(new ListenerTls { Certificates = ["a"] }));
        await using var tls = await TlsBed.ConnectAsync(bed.Address, "a.example", alpn: "http/1.1");
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(tls, "b.example"), StringComparison.Ordinal);
        await bed.Engine.ApplyAsync(Config(Tls()));
        Assert.StartsWith("HTTP/1.1 421 ", await AskAsync(tls, "b.example"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(tls, "a.example"), StringComparison.Ordinal);
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "b.example"));
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "b.example", _client)).Text);
        await using (var passed = await TlsBed.ConnectAsync(bed.Address, "c.example"))
            Assert.EndsWith("passed", await AskAsync(passed, "c.example"), StringComparison.Ordinal);

        // And back: nothing is passed on any more.
        await bed.Engine.ApplyAsync(Config(new ListenerTls { Certificates = ["a"] }));
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "c.example")).Text);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_session_of_one_kind_is_not_resumed_for_another(string version)
    {
        using var tool = new OpenSslTool();
        await using var bed = await StartAsync();
        var session = tool.Save("session", []);
        Assert.Contains("HTTP/1.1 200 ", await ResumeAsync("a.example", "-sess_out"), StringComparison.Ordinal);
        Assert.Contains("Reused", await ResumeAsync("a.example", "-sess_in"), StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP/1.1 ", await ResumeAsync("b.example", "-sess_in"), StringComparison.Ordinal);

        async Task<string> ResumeAsync(string name, string option)
        {
            var client = tool.Start("openssl", "s_client", "-connect", bed.Address.ToString(), "-servername", name, version, "-alpn", "http/1.1", "-ign_eof", option, session);
            var (output, errors) = (client.StandardOutput.ReadToEndAsync(), client.StandardError.ReadToEndAsync());
            try
            {
                await client.StandardInput.WriteAsync($"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
                await client.StandardInput.FlushAsync();
            }
            catch (IOException)
            {
                // refused before it had something to ask
            }

            await client.WaitForExitAsync();
            await errors;
            return await output;
        }
    }

    [Fact]
    public async Task A_host_without_its_certificate_refuses_and_no_other_takes_its_place()
    {
        await using var bed = await StartAsync(new ListenerTlsHost { Names = ["d.example"] }, new ListenerTlsHost { Names = ["*"], Certificates = ["a"] }, new ListenerTlsHost { Names = ["e.example"], Certificates = ["a"], MinVersion = TlsVersion.Tls13 });
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "d.example"));
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "other.example")).Text);
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "e.example", versions: SslProtocols.Tls12));
        Assert.Equal(SslProtocols.Tls13, (await TlsBed.AskAsync(bed.Address, "e.example")).Version);
    }

    [Fact]
    public async Task Where_nothing_but_a_name_that_is_passed_on_is_whole_that_is_served()
    {
        await using (var alone = await HostileBed.StartAsync(Config(new ListenerTls { Passthrough = ["c.example"] })))
            Assert.True(await TlsBed.IsRefusedAsync(alone.Address, "a.example"));
        await using var bed = await HostileBed.StartAsync(Config(new ListenerTls { Hosts = [new ListenerTlsHost { Names = ["a.example"] }], Passthrough = ["c.example"] }));
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "a.example"));
        await using var passed = await TlsBed.ConnectAsync(bed.Address, "c.example");
        Assert.EndsWith("passed", await AskAsync(passed, "c.example"), StringComparison.Ordinal);
    }

    /// <summary>What is passed on has no requests: policies decide about its connections, and an authorizer cannot be asked.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Policies_of_the_listener_hold_for_what_is_passed_on(bool external)
    {
        FilterConfig filter = external
            ? new ExternalAuthorizationFilter { Name = "guard", Cluster = "web" }
            : new AuthorizationFilter { Policies = [new AuthorizationPolicyConfig { Name = "nobody", Rules = [new AuthorizationRule { From = [new AuthorizationSource { IpBlocks = ["192.0.2.0/24"] }] }] }] };
        await using var bed = await HostileBed.StartAsync(Config(Tls(), listener => listener with { Filters = [filter] }));
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "c.example"));
        Assert.Equal(external, (await TlsBed.AskAsync(bed.Address, "a.example")).Text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a.example")]
    [InlineData("c.example")]
    public async Task A_hello_may_come_in_pieces_and_behind_a_proxy_header(string name)
    {
        await using var bed = await HostileBed.StartAsync(Config(Tls(), listener => listener with { ProxyProtocol = true }));
        using var socket = bed.Connect();
        socket.Send("PROXY TCP4 192.0.2.9 192.0.2.1 4711 443\r\n"u8);
        await using var tls = new SslStream(new Pieces(socket), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(name);
        var text = await AskAsync(tls, name);
        Assert.StartsWith("HTTP/1.1 200 ", text, StringComparison.Ordinal);
        Assert.Equal(name == "c.example", text.EndsWith("passed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_no_hello_is_closed_and_one_that_does_not_end_waits_no_longer_than_a_handshake()
    {
        await using var bed = await HostileBed.StartAsync(Config(Tls() with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) }));
        foreach (var bytes in new byte[][] { [.. "GET / HTTP/1.1\r\n\r\n"u8], [22, 3, 1, 0, 100, 1, 0, 0, 96] })
        {
            using var socket = bed.Connect();
            socket.Send(bytes);
            Mesh.MeshBed.AssertClosed(socket);
        }

        await bed.NothingLeftAsync();
    }

    // TLS by hand below the client, which would otherwise ask for the name of its Host field.
    private static HttpClient Client(IPEndPoint address, string asked, X509Certificate2? certificate, string protocol) => new(new SocketsHttpHandler
    {
        UseProxy = false, ConnectCallback = async (_, _) => await TlsBed.ConnectAsync(address, asked, certificate, alpn: protocol),
    })
    { Timeout = TimeSpan.FromSeconds(30) };

    private static async Task<string> AskAsync(SslStream tls, string host)
    {
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        var (buffer, text) = (new byte[16 << 10], "");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        // Head and body may come apart.
        while (!IsWhole(text) && await tls.ReadAsync(buffer, patience.Token) is var got and > 0)
            text += Encoding.Latin1.GetString(buffer, 0, got);
        return text;
    }

    private static bool IsWhole(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var length = text[..end].Split("\r\n").Single(line => line.StartsWith("content-length: ", StringComparison.OrdinalIgnoreCase))["content-length: ".Length..];
        return text.Length >= end + 4 + int.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Each byte in a segment of its own.</summary>
    private sealed class Pieces(Socket socket) : NetworkStream(socket)
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++)
                await Socket.SendAsync(buffer.Slice(i, 1), cancellationToken);
        }
    }
}
