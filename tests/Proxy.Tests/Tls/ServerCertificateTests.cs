using System.Text;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

/// <summary>What a client finds out about its server, and which certificate it is shown.</summary>
public sealed class ServerCertificateTests : IDisposable
{
    private readonly TlsFixture _tls = new();

    [Theory]
    [InlineData("a.example", true)]
    [InlineData("A.EXAMPLE", true)]
    [InlineData("b.example", false)]
    [InlineData("x.wild.example", true)]
    [InlineData("x.y.wild.example", false)]
    [InlineData("wild.example", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.2", false)]
    [InlineData("leaf 1", false)]
    public void The_name_must_be_in_the_certificate(string name, bool good)
    {
        using var server = Server(_tls.Authority.Issue(new() { Dns = ["a.example", "*.wild.example"], Addresses = ["127.0.0.1"] }));
        using var pair = _tls.Connect(_tls.Client(), server, name);
        Assert.Equal(good, pair.BothOpen);
        if (!good)
            Assert.StartsWith("the peer's certificate is for another ", pair.Client.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_time_authority_and_use()
    {
        var now = _tls.Time.GetUtcNow();
        using var other = new TestAuthority("Other authority");
        Assert.Equal("the peer's certificate has expired", ErrorOf(_tls.Authority.Issue(new() { NotAfter = now.AddDays(-1) })));
        Assert.Equal("the peer's certificate is not valid yet", ErrorOf(_tls.Authority.Issue(new() { NotBefore = now.AddDays(1) })));
        Assert.Equal("the peer's certificate is signed by an unknown authority", ErrorOf(other.Issue()));
        Assert.Equal("the peer's certificate is not made for this use", ErrorOf(_tls.Authority.Issue(new() { Usages = [Wanted.ClientUsage] })));
    }

    [Fact]
    public void A_workload_is_verified_by_its_identity_in_place_of_a_name()
    {
        const string Identity = "spiffe://weft.test/ns/default/sa/db";
        using var server = Server(_tls.Authority.Issue(Wanted.Workload(Identity)));
        var client = new TlsClientSettings { Peer = new() { Spiffe = true, TrustDomains = ["weft.test"], Names = n => n == Identity } };
        using var good = _tls.Connect(_tls.Client(client), server, name: null);
        Assert.True(good.BothOpen, good.Client.Error);
        Assert.Equal(Identity, good.Client.PeerUri);

        using var other = _tls.Connect(_tls.Client(client with { Peer = client.Peer with { Names = n => n == Identity + "x" } }), server, name: null);
        Assert.Equal("no name of the peer's certificate is allowed", other.Client.Error);
    }

    [Fact]
    public void Nothing_is_verified_only_where_that_is_said()
    {
        using var other = new TestAuthority("Other authority");
        using var server = Server(other.Issue(Wanted.Workload("spiffe://weft.test/a")));
        using var client = _tls.Client(new() { SkipVerification = true });
        using var pair = _tls.Connect(client, server, "b.example");
        Assert.True(pair.BothOpen);
        Assert.Null(pair.Client.PeerUri); // it is no verified one

        Assert.Throws<ArgumentException>(() => _tls.Client().Connect(_tls.Pool, name: null));
    }

    [Fact]
    public void The_asked_name_chooses_exact_then_wildcard_then_the_first()
    {
        using var server = _tls.Server(new()
        {
            Hosts =
            [
                Host("first.example"),
                Host("*.example"),
                Host("exact.a.example"),
                Host("*.a.example"),
                new() { Names = ["named.test"], Certificates = [_tls.Authority.Issue(new() { Dns = ["other.test"], Uris = ["urn:named"] })] },
            ],
        });

        Assert.Equal("urn:exact.a.example", Shown(server, "exact.a.example"));
        Assert.Equal("urn:exact.a.example", Shown(server, "EXACT.A.example"));
        Assert.Equal("urn:x.a.example", Shown(server, "other.a.example"));
        Assert.Equal("urn:x.a.example", Shown(server, "deep.other.a.example"));
        Assert.Equal("urn:x.example", Shown(server, "b.example"));
        Assert.Equal("urn:named", Shown(server, "named.test"));
        Assert.Equal("urn:first.example", Shown(server, "unknown.test"));
        Assert.Equal("urn:first.example", Shown(server, null));

        TlsHost Host(string name) => new() { Certificates = [_tls.Authority.Issue(new() { Dns = [name], Uris = ["urn:" + name.Replace('*', 'x')] })] };
    }

    [Fact]
    public void An_unknown_name_is_refused_where_one_is_required()
    {
        using var server = _tls.Server(new() { RequireServerName = true });
        using var unknown = _tls.Connect(_tls.Client(), server, "b.example");
        Assert.Equal("the client asked for the server 'b.example', which is not here", unknown.Server.Error);
        Assert.Equal("the peer refused: its alert is 'unrecognized_name'", unknown.Client.Error);

        using var none = _tls.Connect(_tls.Client(new() { SkipVerification = true }), server, name: null);
        Assert.Equal("the client named no server", none.Server.Error);
    }

    [Fact]
    public void Hosts_of_one_listener_have_their_own_rules_for_clients()
    {
        using var server = _tls.Server(new()
        {
            Hosts =
            [
                new() { Certificates = [_tls.Authority.Issue(new() { Dns = ["open.example"] })] },
                new()
                {
                    Certificates = [_tls.Authority.Issue(new() { Dns = ["closed.example"] })],
                    Clients = new() { Mode = ClientCertificateMode.Required, AuthoritiesPem = _tls.Authority.Pem },
                },
            ],
        });
        using var open = _tls.Connect(_tls.Client(), server, "open.example");
        Assert.True(open.BothOpen);
        using var closed = _tls.Connect(_tls.Client(), server, "closed.example");
        Assert.Equal("the peer sent no certificate", closed.Server.Error);
        using var known = _tls.Connect(_tls.Client(new() { Certificate = _tls.Authority.Issue() }), server, "closed.example");
        Assert.True(known.BothOpen, known.Server.Error);
    }

    [Fact]
    public void What_does_not_serve_is_named_and_no_key_is_in_the_text()
    {
        var good = _tls.Authority.Issue();
        var other = _tls.Authority.Issue();
        Assert.Contains("the certificate chain is not good: there is no certificate in it", Error(new("nothing"u8.ToArray(), good.KeyPem.ToArray())), StringComparison.Ordinal);
        Assert.Contains("the private key cannot be read", Error(new(good.ChainPem, "my secret key"u8.ToArray())), StringComparison.Ordinal);
        Assert.Contains("certificate and key do not serve: ", Error(new(good.ChainPem, other.KeyPem.ToArray())), StringComparison.Ordinal);
        Assert.False(TlsServerContext.TryCreate(new(), _tls.Tickets, _tls.Time, out _, out var error));
        Assert.Equal("no certificate is configured", error);
        Assert.False(TlsClientContext.TryCreate(new() { AuthoritiesPem = "x"u8.ToArray() }, _tls.Time, out _, out error));
        Assert.Contains("the bundle of authorities is not good", error, StringComparison.Ordinal);

        Assert.Equal("(certificate and key)", good.ToString());
        Assert.DoesNotContain("PRIVATE", new TlsServerSettings { Hosts = [new() { Certificates = [good] }] }.ToString(), StringComparison.Ordinal);
        good.Dispose();
        Assert.Equal(-1, good.KeyPem.IndexOfAnyExcept((byte)0));

        string Error(TlsCertificate certificate)
        {
            Assert.False(TlsServerContext.TryCreate(new() { Hosts = [new() { Certificates = [certificate] }] }, _tls.Tickets, _tls.Time, out _, out var reason));
            Assert.DoesNotContain(Encoding.ASCII.GetString(certificate.KeyPem)[..8], reason, StringComparison.Ordinal);
            return reason;
        }
    }

    [Fact]
    public void A_damaged_certificate_within_a_chain_is_refused()
    {
        var certificate = _tls.Authority.Issue();
        byte[] chain = [.. certificate.ChainPem.Span, .. "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"u8];
        Assert.False(TlsServerContext.TryCreate(new() { Hosts = [new() { Certificates = [new(chain, certificate.KeyPem.ToArray())] }] }, _tls.Tickets, _tls.Time, out _, out var error));
        Assert.Contains("certificate 2 of it cannot be read", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_client_s_kind_of_key_chooses_among_a_host_s_certificates()
    {
        using var server = _tls.Server(new() { Hosts = [new() { Certificates = [_tls.Authority.Issue(new() { Uris = ["urn:rsa"], Rsa = true }), _tls.Authority.Issue(new() { Uris = ["urn:ec"] })] }] });
        Assert.Equal("urn:ec", Shown(server, "a.example"));
    }

    [Fact]
    public void A_new_certificate_is_for_new_connections_and_the_old_context_goes_with_its_last_one()
    {
        var old = _tls.Server();
        using var client = _tls.Client();
        using var open = _tls.Connect(client, old);
        using var inHandshake = new EnginePair(client.Connect(_tls.Pool, "a.example"), old.Accept(_tls.Pool), _tls.Pool);
        using var fresh = _tls.Server();

        old.Dispose();

        Assert.False(old.IsFreed);
        inHandshake.Run();
        Assert.True(inHandshake.BothOpen, inHandshake.Server.Error);
        open.Send(open.Client, "still here"u8);
        Assert.Equal("still here"u8, open.AtServer.Span);
        open.Server.Dispose();
        Assert.False(old.IsFreed);
        inHandshake.Server.Dispose();
        Assert.True(old.IsFreed);
        Assert.Throws<ObjectDisposedException>(() => old.Accept(_tls.Pool));
        using var next = _tls.Connect(client, fresh);
        Assert.True(next.BothOpen);
    }

    public void Dispose() => _tls.Dispose();

    private TlsServerContext Server(TlsCertificate certificate) => _tls.Server(new() { Hosts = [new() { Certificates = [certificate] }] });

    private string? ErrorOf(TlsCertificate certificate)
    {
        using var server = Server(certificate);
        using var pair = _tls.Connect(_tls.Client(), server);
        return pair.Client.Error;
    }

    // The URI of the certificate tells which one it was.
    private string? Shown(TlsServerContext server, string? name)
    {
        using var client = _tls.Client(new() { Peer = new() });
        using var pair = _tls.Connect(client, server, name);
        Assert.True(pair.BothOpen, pair.Client.Error);
        return pair.Client.PeerUri;
    }
}
