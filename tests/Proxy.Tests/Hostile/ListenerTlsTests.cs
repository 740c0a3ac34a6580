using System.Security.Authentication;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>TLS towards clients, as a configuration says it.</summary>
public sealed class ListenerTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _clients = new("Clients");
    private readonly ScriptedUpstream _upstream = new(Answer.Ok);

    public static TheoryData<ClientCertificates, string, bool> Clients => new()
    {
        { ClientCertificates.Required, "good", true },
        { ClientCertificates.Required, "none", false },
        { ClientCertificates.Required, "stranger", false },
        { ClientCertificates.Required, "expired", false },
        { ClientCertificates.Required, "not yet", false },
        { ClientCertificates.Required, "for servers", false },
        { ClientCertificates.Required, "another name", false },
        { ClientCertificates.Optional, "good", true },
        { ClientCertificates.Optional, "none", true },
        { ClientCertificates.Optional, "stranger", false },
        { ClientCertificates.Optional, "expired", false },
        { ClientCertificates.Optional, "another name", false },
        { ClientCertificates.None, "stranger", true },
    };

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Client_certificates_are_asked_for_and_looked_at(ClientCertificates mode, string who, bool served)
    {
        await using var bed = await StartAsync(new ListenerTls { ClientCertificates = mode, ClientAuthorities = TlsBed.Pem(_clients), ClientNames = [StringMatch.Prefix("spiffe://mesh.example/")] });
        using var stranger = new TestAuthority("Clients"); // the same name, another key
        var good = Wanted.Workload(TlsBed.Identity);
        using var certificate = who switch
        {
            "none" => null,
            "stranger" => stranger.IssueForDotNet(good),
            "expired" => _clients.IssueForDotNet(good with { NotAfter = TestAuthority.NotBefore.AddDays(1) }),
            "not yet" => _clients.IssueForDotNet(good with { NotBefore = TestAuthority.NotAfter.AddDays(-1) }),
            "for servers" => _clients.IssueForDotNet(good with { Usages = [Wanted.ServerUsage] }),
            "another name" => _clients.IssueForDotNet(Wanted.Workload("spiffe://other.example/ns/shop/sa/web")),
            _ => _clients.IssueForDotNet(good),
        };
        foreach (var version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            if (!served)
            {
                Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "a.example", certificate, version), $"{who} with {version}");
                continue;
            }

            var heard = await TlsBed.AskAsync(bed.Address, "a.example", certificate, version);
            Assert.StartsWith("HTTP/1.1 200 ", heard.Text);
            Assert.Equal(who == "good", heard.Text.Contains($"x-identity: {TlsBed.Identity}\r\n", StringComparison.Ordinal));
        }

        await bed.NothingLeftAsync();
    }

    /// <summary>A session of before does not open a door that the configuration has closed since (CVE-2022-21654).</summary>
    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_resumed_session_is_held_to_the_authorities_of_today(string version)
    {
        using var tool = new OpenSslTool();
        using var others = new TestAuthority("Others");
        var (chain, key) = tool.Save("client", _clients.Issue(Wanted.Workload(TlsBed.Identity)));
        var tls = new ListenerTls { ClientCertificates = ClientCertificates.Required, ClientAuthorities = TlsBed.Pem(_clients) };
        await using var bed = await StartAsync(tls);
        var session = tool.Save("session", []);

        Assert.Contains("HTTP/1.1 200 ", await AskAsync("-sess_out", session), StringComparison.Ordinal);
        var resumed = await AskAsync("-sess_in", session);
        Assert.Contains("Reused", resumed, StringComparison.Ordinal);
        Assert.Contains($"x-identity: {TlsBed.Identity}", resumed, StringComparison.Ordinal);
        await bed.Engine.ApplyAsync(Config(tls with { ClientAuthorities = TlsBed.Pem(others) }));
        Assert.DoesNotContain("HTTP/1.1 200 ", await AskAsync("-sess_in", session), StringComparison.Ordinal);
        await bed.Engine.ApplyAsync(Config(tls with { ClientNames = [StringMatch.Exact("spiffe://mesh.example/ns/shop/sa/other")] }));
        Assert.DoesNotContain("HTTP/1.1 200 ", await AskAsync("-sess_in", session), StringComparison.Ordinal);

        async Task<string> AskAsync(string option, string file)
        {
            var client = tool.Start(
                "openssl", "s_client", "-connect", bed.Address.ToString(), "-servername", "a.example", version, "-cert", chain, "-key", key, "-alpn", "http/1.1", "-ign_eof", option, file);
            var output = client.StandardOutput.ReadToEndAsync();
            var errors = client.StandardError.ReadToEndAsync();
            await client.StandardInput.WriteAsync("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
            await client.StandardInput.FlushAsync();
            await client.WaitForExitAsync();
            await errors;
            return await output;
        }
    }

    [Theory]
    [InlineData("a.example", "a.example")]
    [InlineData("A.EXAMPLE", "a.example")]
    [InlineData("x.wild.example", "*.wild.example")]
    [InlineData("exact.wild.example", "exact.wild.example")]
    [InlineData("x.y.wild.example", "*.wild.example")] // the nearest there is, though no client will take it for two labels (RFC 9525 section 6.3)
    [InlineData("wild.example", "a.example")] // the first is for whoever is not known
    [InlineData("unknown.example", "a.example")]
    public async Task The_asked_name_chooses_the_certificate(string name, string expected)
    {
        await using var bed = await StartAsync(
            new ListenerTls { Certificates = ["a", "wild", "exact"] }, ("a", _authority.Issue()), ("wild", _authority.Issue(new Wanted { Dns = ["*.wild.example"] })), ("exact", _authority.Issue(new Wanted { Dns = ["exact.wild.example"] })));
        var heard = await TlsBed.AskAsync(bed.Address, name);
        Assert.Equal([expected], heard.Names);
        Assert.StartsWith("HTTP/1.1 200 ", heard.Text);
    }

    [Fact]
    public async Task Who_names_no_server_or_an_unknown_one_is_refused_where_a_name_is_required()
    {
        await using var bed = await StartAsync(new ListenerTls { RequireServerName = true });
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "a.example")).Text);
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "b.example"));
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "127.0.0.1"));
    }

    [Fact]
    public async Task A_new_certificate_is_shown_to_new_connections_and_the_old_ones_go_on()
    {
        await using var bed = await StartAsync(new ListenerTls());
        await using var before = await TlsBed.ConnectAsync(bed.Address, "a.example", alpn: "http/1.1");
        Assert.Equal(["a.example"], TlsBed.Names(before));
        await bed.Engine.ApplyAsync(Config(new ListenerTls(), ("site", _authority.Issue(new Wanted { Dns = ["a.example", "new.example"] }))));

        Assert.Equal(["a.example", "new.example"], (await TlsBed.AskAsync(bed.Address, "a.example")).Names);
        await before.WriteAsync("GET /old HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(before, Encoding.ASCII);
        Assert.EndsWith("GET /old HTTP/1.1", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_certificate_that_does_not_serve_changes_nothing()
    {
        await using var bed = await StartAsync(new ListenerTls());
        var other = _authority.Issue();
        var broken = TlsBed.Certificate("site", _authority.Issue()) with { Key = TlsBed.Certificate("other", other).Key };
        await Assert.ThrowsAsync<Weft.Proxy.Runtime.ProxyConfigException>(() => bed.Engine.ApplyAsync(TlsBed.Config(HostileBed.Cluster(_upstream.Address), new ListenerTls { Certificates = ["site"] }, [broken])));
        Assert.StartsWith("HTTP/1.1 200 ", (await TlsBed.AskAsync(bed.Address, "a.example")).Text);
    }

    [Fact]
    public async Task The_least_version_is_kept_to()
    {
        await using var bed = await StartAsync(new ListenerTls());
        Assert.Equal(SslProtocols.Tls12, (await TlsBed.AskAsync(bed.Address, "a.example", versions: SslProtocols.Tls12)).Version);
        Assert.Equal(SslProtocols.Tls13, (await TlsBed.AskAsync(bed.Address, "a.example")).Version);
#pragma warning disable SYSLIB0039, CA5397 // to be refused
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "a.example", versions: SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
        await bed.Engine.ApplyAsync(Config(new ListenerTls { MinVersion = TlsVersion.Tls13 }));
        Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "a.example", versions: SslProtocols.Tls12));
        Assert.Equal(SslProtocols.Tls13, (await TlsBed.AskAsync(bed.Address, "a.example", versions: SslProtocols.Tls13)).Version);
    }

    /// <summary>What a client offers, what a listener speaks, and what they agree upon; null: they do not.</summary>
    [Theory]
    [InlineData("h2 http/1.1", "h2 http/1.1", true, true, "h2")]
    [InlineData("http/1.1 h2", "h2 http/1.1", true, true, "h2")] // the listener's order decides
    [InlineData("http/1.1 h2", "http/1.1 h2", true, true, "http/1.1")]
    [InlineData("http/1.1", "h2 http/1.1", true, true, "http/1.1")]
    [InlineData("h2", "h2 http/1.1", true, true, "h2")]
    [InlineData("", "h2 http/1.1", true, true, "")]
    [InlineData("spdy/3", "h2 http/1.1", true, true, null)]
    [InlineData("h2 http/1.1", "http/1.1", true, true, "http/1.1")]
    [InlineData("h2 http/1.1", "h2", true, true, "h2")]
    [InlineData("http/1.1", "h2", true, true, null)]
    [InlineData("h2 http/1.1", "h2 http/1.1", true, false, "http/1.1")] // HTTP/2 is off: it is not offered either
    [InlineData("h2", "h2 http/1.1", true, false, null)]
    [InlineData("h2 http/1.1", "h2 http/1.1", false, true, "h2")]
    [InlineData("http/1.1", "h2 http/1.1", false, true, null)]
    [InlineData("", "h2 http/1.1", false, true, null)] // HTTP/1.1 is what no ALPN means, and it is off
    public async Task Both_sides_agree_on_a_protocol_that_both_speak(string offered, string spoken, bool http1, bool http2, string? agreed)
    {
        var tls = new ListenerTls { Alpn = [.. spoken.Split(' ')], Certificates = ["site"] };
        await using var bed = await HostileBed.StartAsync(TlsBed.Config(
            HostileBed.Cluster(_upstream.Address), tls, [TlsBed.Certificate("site", _authority.Issue())], HttpSettings.Default with { Http1 = http1, Http2 = http2 }));
        var offers = offered.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (agreed is null)
        {
            Assert.True(await TlsBed.IsRefusedAsync(bed.Address, "a.example", alpn: offers));
            return;
        }

        var heard = await TlsBed.AskAsync(bed.Address, "a.example", alpn: offers);
        Assert.Equal(agreed, heard.Protocol);
        Assert.Contains("GET / HTTP/1.1", heard.Text, StringComparison.Ordinal); // the endpoint's answer
    }

    public void Dispose()
    {
        _authority.Dispose();
        _clients.Dispose();
        _upstream.Dispose();
    }

    private Task<HostileBed> StartAsync(ListenerTls tls, params (string Name, TlsCertificate Certificate)[] certificates) => HostileBed.StartAsync(Config(tls, certificates));

    private ProxyConfig Config(ListenerTls tls, params (string Name, TlsCertificate Certificate)[] certificates)
    {
        if (certificates.Length == 0)
            certificates = [("site", _authority.Issue())];
        if (tls.Certificates.IsEmpty)
            tls = tls with { Certificates = [certificates[0].Name] };
        return TlsBed.Config(HostileBed.Cluster(_upstream.Address), tls, certificates.Select(one => TlsBed.Certificate(one.Name, one.Certificate)));
    }
}
