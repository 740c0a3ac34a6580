using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Identity;

/// <summary>Checklist 36 to 38: who is refused, by either side, when the other is not one of ours.</summary>
public sealed class HandshakeTests : IDisposable
{
    private const string Good = "spiffe://cluster.local/ns/shop/sa/other";
    private readonly ManualTime _time = new();
    private readonly TestAuthority _authority = new();
    private readonly IdentityBed _bed;
    private readonly BufferPool _pool = new();

    public HandshakeTests()
    {
        _bed = new(_time);
        _bed.Trust(_authority);
        _bed.Give(_authority);
    }

    public static TheoryData<string, string> Strangers => new()
    {
        { "another authority", "signed by an unknown authority" },
        { "ended", "has expired" },
        { "not begun", "not valid yet" },
        { "another domain", "trust domain 'other.test' is not allowed" },
        { "two identities", "2 URI names" },
        { "DNS", "0 URI names" },
        { "identity as DNS", "0 URI names" },
        { "no path", "no SPIFFE identity of a workload" },
        { "an authority's", "is an authority's" },
    };

    [Theory]
    [MemberData(nameof(Strangers))]
    public void A_client_that_is_a_stranger(string what, string reason)
    {
        using var certificate = Stranger(what);
        using var pair = Client(certificate);
        Assert.False(pair.BothOpen);
        Assert.Contains(reason, pair.Server.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public void A_server_that_is_a_stranger(string what, string reason)
    {
        using var certificate = Stranger(what);
        using var pair = Server(certificate, Good);
        Assert.False(pair.BothOpen);
        Assert.Contains(reason, pair.Client.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_without_a_certificate()
    {
        using var pair = Client(null);
        Assert.False(pair.BothOpen);
        Assert.Equal("the peer sent no certificate", pair.Server.Error);
    }

    [Fact]
    public void A_server_that_is_another_workload()
    {
        using var certificate = _authority.Issue(Wanted.Workload(Good));
        using var pair = Server(certificate, "spiffe://cluster.local/ns/shop/sa/web");
        Assert.Contains("no name of the peer's certificate is allowed", pair.Client.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Wanted.ServerUsage)]
    [InlineData("")]
    public void A_client_whose_certificate_is_not_for_clients(string usage)
    {
        using var certificate = _authority.Issue(Wanted.Workload(Good) with { Usages = usage.Length == 0 ? [] : [usage] });
        using var pair = Client(certificate);
        Assert.False(pair.BothOpen);
        Assert.NotNull(pair.Server.Error);
    }

    [Theory]
    [InlineData("http/1.1")]
    [InlineData("")]
    public void A_client_of_another_protocol(string protocol)
    {
        using var certificate = _authority.Issue(Wanted.Workload(Good));
        using var pair = Client(certificate, protocol);
        Assert.False(pair.BothOpen);
    }

    [Fact]
    public void Both_sides_know_each_other_and_nothing_is_resumed()
    {
        using var peer = new IdentityBed(_time);
        peer.Trust(_authority);
        peer.Give(_authority, account: new("shop", "other"));
        for (var i = 0; i < 3; i++)
        {
            using var pair = new EnginePair(_bed.Identities.Connect(IdentityBed.Web, _pool, Good)!, peer.Identities.Accept(new("shop", "other"), _pool)!, _pool);
            pair.Run();
            Assert.True(pair.BothOpen, pair.Client.Error ?? pair.Server.Error);
            Assert.Equal((Good, "spiffe://cluster.local/ns/shop/sa/web"), (pair.Client.PeerUri, pair.Server.PeerUri));
            Assert.Equal(("TLSv1.3", "h2", false), (pair.Server.Version, pair.Server.Protocol, pair.Server.Resumed));
        }
    }

    private TlsCertificate Stranger(string what)
    {
        var now = _time.GetUtcNow();
        using var other = new TestAuthority("Other authority");
        return what switch
        {
            "another authority" => other.Issue(Wanted.Workload(Good)),
            "ended" => _authority.Issue(Wanted.Workload(Good) with { NotAfter = now.AddSeconds(-1) }),
            "not begun" => _authority.Issue(Wanted.Workload(Good) with { NotBefore = now.AddMinutes(1) }),
            "another domain" => _authority.Issue(Wanted.Workload("spiffe://other.test/ns/shop/sa/other")),
            "two identities" => _authority.Issue(Wanted.Workload(Good, "spiffe://cluster.local/ns/shop/sa/admin")),
            "DNS" => _authority.Issue(new() { Dns = ["other.shop.svc"] }),
            "identity as DNS" => _authority.Issue(new() { Dns = ["cluster.local"] }),
            "no path" => _authority.Issue(Wanted.Workload("spiffe://cluster.local")),
            _ => _authority.Issue(Wanted.Workload(Good) with { Authority = true }),
        };
    }

    /// <summary>A client that takes any server, towards one of ours.</summary>
    private EnginePair Client(TlsCertificate? certificate, string protocol = "h2")
    {
        var settings = new TlsClientSettings { SkipVerification = true, Certificate = certificate, Protocols = protocol.Length == 0 ? [] : [protocol] };
        Assert.True(TlsClientContext.TryCreate(settings, _time, out var context, out var error), error);
        using (context)
        {
            var pair = new EnginePair(context.Connect(_pool, null), _bed.Identities.Accept(IdentityBed.Web, _pool)!, _pool);
            pair.Run();
            return pair;
        }
    }

    /// <summary>A server that takes any client, for one of ours.</summary>
    private EnginePair Server(TlsCertificate certificate, string expected)
    {
        var settings = new TlsServerSettings { Hosts = [new TlsHost { Certificates = [certificate] }], Protocols = ["h2"] };
        Assert.True(TlsServerContext.TryCreate(settings, new TicketKeyRing(TicketKeys.New()), _time, out var context, out var error), error);
        using (context)
        {
            var pair = new EnginePair(_bed.Identities.Connect(IdentityBed.Web, _pool, expected)!, context.Accept(_pool), _pool);
            pair.Run();
            return pair;
        }
    }

    public void Dispose()
    {
        _bed.Dispose();
        _authority.Dispose();
    }
}
