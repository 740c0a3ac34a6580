using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Tls.Verification;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Checklist 36: a server that wants to know its clients.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private const string Good = "spiffe://weft.test/ns/default/sa/web";
    private static readonly PeerPolicy Mesh = new() { Spiffe = true, TrustDomains = ["weft.test"] };
    private readonly TlsFixture _tls = new();

    [Fact]
    public void A_workload_is_known_by_its_URI()
    {
        using var pair = Connect(Mesh, _tls.Authority.Issue(Wanted.Workload(Good)));

        Assert.True(pair.BothOpen, pair.Server.Error);
        Assert.Equal(Good, pair.Server.PeerUri);
        pair.Send(pair.Client, "hello"u8);
        Assert.Equal("hello"u8, pair.AtServer.Span);
    }

    [Fact]
    public void A_chain_with_an_intermediate_is_followed()
    {
        using var intermediate = _tls.Authority.Intermediate();
        using var pair = Connect(Mesh, intermediate.Issue(Wanted.Workload(Good)));
        Assert.True(pair.BothOpen, pair.Server.Error);
    }

    [Fact]
    public void An_intermediate_may_be_the_anchor()
    {
        using var intermediate = _tls.Authority.Intermediate();
        using var client = _tls.Client(new() { Certificate = intermediate.Issue(Wanted.Workload(Good)) });
        using var pair = _tls.Connect(client, _tls.Mutual(Mesh, intermediate));
        Assert.True(pair.BothOpen, pair.Server.Error);
    }

    [Fact]
    public void No_certificate() => Refused(Mesh, null, "the peer sent no certificate", "certificate_required");

    [Fact]
    public void Another_authority()
    {
        using var other = new TestAuthority("Other authority");
        Refused(Mesh, other.Issue(Wanted.Workload(Good)), "the peer's certificate is signed by an unknown authority", "unknown_ca");
    }

    [Fact]
    public void An_authority_with_the_same_name_and_another_key()
    {
        using var other = new TestAuthority();
        Refused(Mesh, other.Issue(Wanted.Workload(Good)), "the signature of the peer's certificate is wrong", "decrypt_error");
    }

    [Fact]
    public void Expired()
    {
        var now = _tls.Time.GetUtcNow();
        Refused(Mesh, _tls.Authority.Issue(Wanted.Workload(Good) with { NotAfter = now.AddSeconds(-1) }), "the peer's certificate has expired", "certificate_expired");
    }

    [Fact]
    public void Not_valid_yet()
    {
        var now = _tls.Time.GetUtcNow();
        Refused(Mesh, _tls.Authority.Issue(Wanted.Workload(Good) with { NotBefore = now.AddSeconds(60) }), "the peer's certificate is not valid yet", "bad_certificate");
    }

    [Fact]
    public void It_expires_by_the_clock_that_the_context_was_given()
    {
        var certificate = _tls.Authority.Issue(Wanted.Workload(Good) with { NotAfter = _tls.Time.GetUtcNow().AddHours(1) });
        using var before = Connect(Mesh, certificate);
        Assert.True(before.BothOpen, before.Server.Error);
        _tls.Time.Advance(TimeSpan.FromHours(2));
        Refused(Mesh, certificate, "the peer's certificate has expired", "certificate_expired");
    }

    [Fact]
    public void For_servers_only()
    {
        var certificate = _tls.Authority.Issue(Wanted.Workload(Good) with { Usages = [Wanted.ServerUsage] });
        Refused(Mesh, certificate, "the peer's certificate is not made for this use", "unsupported_certificate");
    }

    [Fact]
    public void For_no_named_use()
    {
        var certificate = _tls.Authority.Issue(Wanted.Workload(Good) with { Usages = [] });
        Refused(Mesh, certificate, "the peer's certificate is not made for TLS clients (extended key usage)", "handshake_failure");
        using var lenient = Connect(Mesh with { RequireUsage = false }, certificate);
        Assert.True(lenient.BothOpen, lenient.Server.Error);
    }

    [Theory]
    [InlineData("spiffe://other.test/ns/default/sa/web", "the peer's trust domain 'other.test' is not allowed")]
    [InlineData("spiffe://weft.test.evil/ns/default/sa/web", "the peer's trust domain 'weft.test.evil' is not allowed")]
    [InlineData("https://weft.test/ns/default/sa/web", "the URI name of the peer's certificate is no SPIFFE identity of a workload")]
    public void Another_domain(string uri, string reason) => Refused(Mesh, _tls.Authority.Issue(Wanted.Workload(uri)), reason, "handshake_failure");

    [Fact]
    public void Two_URIs() => Refused(
        Mesh, _tls.Authority.Issue(Wanted.Workload(Good, "spiffe://weft.test/ns/admin/sa/root")), "the peer's certificate has 2 URI names where exactly one is needed", "handshake_failure");

    [Fact]
    public void A_DNS_name_is_no_URI()
    {
        // CVE-2022-21656: names of one type were compared with rules for another.
        var certificate = _tls.Authority.Issue(new() { Dns = ["web.weft.test"] });
        Refused(Mesh, certificate, "the peer's certificate has 0 URI names where exactly one is needed", "handshake_failure");
        Refused(Mesh with { Names = n => n == "web.weft.test" }, _tls.Authority.Issue(new() { Dns = ["web.weft.test"], Uris = [Good] }), "no name of the peer's certificate is allowed", "handshake_failure");
    }

    [Fact]
    public void An_authority_is_no_workload()
    {
        var certificate = _tls.Authority.Issue(Wanted.Workload(Good) with { Authority = true });
        Refused(Mesh, certificate, "the peer's certificate is an authority's, not a workload's", "handshake_failure");
    }

    [Fact]
    public void Only_names_on_the_list()
    {
        var policy = Mesh with { Names = n => n == Good };
        using var allowed = Connect(policy, _tls.Authority.Issue(Wanted.Workload(Good)));
        Assert.True(allowed.BothOpen);
        Refused(policy, _tls.Authority.Issue(Wanted.Workload(Good + "2")), "no name of the peer's certificate is allowed", "handshake_failure");
    }

    [Fact]
    public void Optional_lets_a_client_without_one_in_but_none_with_a_bad_one()
    {
        using var server = _tls.Mutual(Mesh, mode: ClientCertificateMode.Optional);
        using var without = _tls.Connect(_tls.Client(), server);
        Assert.True(without.BothOpen);
        Assert.Null(without.Server.PeerUri);

        using var other = new TestAuthority("Other authority");
        using var bad = _tls.Connect(_tls.Client(new() { Certificate = other.Issue(Wanted.Workload(Good)) }), server);
        Assert.Equal("the peer's certificate is signed by an unknown authority", bad.Server.Error);
    }

    [Theory]
    [InlineData("spiffe://weft.test/ns/a", "weft.test")]
    [InlineData("spiffe://weft.test", null)]
    [InlineData("spiffe://weft.test/", null)]
    [InlineData("spiffe://weft.test/a//b", null)]
    [InlineData("spiffe://weft.test/a/", null)]
    [InlineData("spiffe://weft.test/a/../b", null)]
    [InlineData("spiffe://weft.test/./b", null)]
    [InlineData("spiffe://weft.test/a%2fb", null)]
    [InlineData("spiffe://weft.test/a?q", null)]
    [InlineData("spiffe://weft.test:8443/a", null)]
    [InlineData("spiffe://user@weft.test/a", null)]
    [InlineData("spiffe://Weft.test/a", null)]
    [InlineData("SPIFFE://weft.test/a", null)]
    [InlineData("spiffe:///a", null)]
    [InlineData("", null)]
    public void The_form_of_SPIFFE_names(string id, string? domain) => Assert.Equal(domain, SpiffeId.TrustDomain(id));

    public void Dispose() => _tls.Dispose();

    private EnginePair Connect(PeerPolicy policy, TlsCertificate? certificate) => _tls.Connect(_tls.Client(new() { Certificate = certificate }), _tls.Mutual(policy));

    private void Refused(PeerPolicy policy, TlsCertificate? certificate, string reason, string alert)
    {
        using var pair = Connect(policy, certificate);
        Assert.Equal(reason, pair.Server.Error);
        Assert.Equal($"the peer refused: its alert is '{alert}'", pair.Client.Error);
        Assert.Equal(TlsState.Closed, pair.Server.State);
        Assert.True(pair.AtServer.IsEmpty);
    }
}
