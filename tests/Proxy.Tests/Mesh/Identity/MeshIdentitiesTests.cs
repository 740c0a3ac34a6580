using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Identity;

public sealed class MeshIdentitiesTests : IDisposable
{
    private static readonly WorkloadAccount Web = IdentityBed.Web;
    private readonly ManualTime _time = new();
    private readonly TestAuthority _authority = new();
    private readonly IdentityBed _bed;
    private readonly BufferPool _pool = new();

    public MeshIdentitiesTests() => _bed = new(_time);

    [Fact]
    public void What_is_not_there_is_asked_for_once_it_is_needed()
    {
        Assert.Null(_bed.Identities.Accept(Web, _pool));
        Assert.Equal([Web], _bed.Identities.Plan().Due);
        Assert.True(_bed.Identities.WantedAsync() is { IsCompleted: false });
        _bed.Identities.Want(new("shop", "other"));
        Assert.Equal(2, _bed.Identities.Plan().Due.Count);
    }

    [Fact]
    public void A_wish_wakes_who_waits_for_one()
    {
        var waiting = _bed.Identities.WantedAsync();
        _bed.Identities.Want(Web);
        Assert.True(waiting.IsCompleted);
    }

    [Theory]
    [InlineData("shop", "../x")]
    [InlineData("shop/a", "web")]
    [InlineData("", "web")]
    public void What_is_no_account_is_not_asked_for(string @namespace, string name)
    {
        _bed.Identities.Want(new(@namespace, name));
        Assert.Empty(_bed.Identities.Plan().Due);
    }

    [Fact]
    public void A_certificate_of_another_account_or_key_is_not_taken()
    {
        _bed.Trust(_authority);
        Assert.Contains("not one of shop/web", _bed.TryGive(_authority, Wanted.Workload("spiffe://cluster.local/ns/shop/sa/other"), Web), StringComparison.Ordinal);
        Assert.Contains("not one of shop/web", _bed.TryGive(_authority, Wanted.Workload("spiffe://cluster.local/ns/shop/sa/web", "spiffe://cluster.local/ns/shop/sa/b"), Web), StringComparison.Ordinal);
        using var one = _authority.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/web"));
        using var other = _authority.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/web"));
        Assert.NotNull(_bed.Identities.Store(Web, System.Text.Encoding.ASCII.GetString(other.KeyPem), System.Text.Encoding.ASCII.GetString(one.ChainPem.Span)));
        Assert.Equal(0, _bed.Identities.Generation(Web));
    }

    [Theory]
    [InlineData(new byte[] { 0x04, 0x00 })]
    [InlineData(new byte[] { 0x30, 0x05, 0x86 })]
    [InlineData(new byte[] { 0x30, 0x01, 0x86 })]
    [InlineData(new byte[] { })]
    public void A_certificate_whose_names_cannot_be_read_is_refused(byte[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=odd", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", names, critical: false));
        using var certificate = request.CreateSelfSigned(ManualTime.Start, ManualTime.Start.AddHours(24));
        Assert.False(HeldIdentity.TryCreate(Web, "cluster.local", key.ExportECPrivateKeyPem(), certificate.ExportCertificatePem(), out _, out var error));
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Files_are_for_the_owner_alone_and_outlive_a_restart()
    {
        _bed.Trust(_authority);
        _bed.Give(_authority, new Wanted { NotAfter = _time.GetUtcNow().AddHours(24) });
        foreach (var file in (string[])["bundle.json", "shop_web.pem"])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_bed.Path(file)));
        _bed.Restart();
        Assert.NotEqual(0, _bed.Identities.Generation(Web));
        _time.Advance(TimeSpan.FromHours(24));
        Assert.Null(_bed.Identities.Connect(Web, _pool, "spiffe://cluster.local/ns/shop/sa/other"));
        _bed.Restart();
        Assert.Equal(0, _bed.Identities.Generation(Web));
        Assert.False(File.Exists(_bed.Path("shop_web.pem")));
    }

    [Fact]
    public void No_text_shows_a_key()
    {
        using var certificate = _authority.Issue(Wanted.Workload("spiffe://cluster.local/ns/shop/sa/web"));
        Assert.True(HeldIdentity.TryCreate(Web, "cluster.local", System.Text.Encoding.ASCII.GetString(certificate.KeyPem), System.Text.Encoding.ASCII.GetString(certificate.ChainPem.Span), out var held, out _));
        Assert.DoesNotContain("KEY", $"{held} {held.ToCertificate()}", StringComparison.Ordinal);
    }

    [Fact]
    public void Renewal_is_at_half_life_spread_and_held_back_after_failures()
    {
        var from = ManualTime.Start;
        var state = new RenewalState(from, from.AddHours(24), 0, 0, default, false);
        Assert.Equal(from.AddHours(12), RenewalPlanner.NextAt(state));
        Assert.Equal(from + (TimeSpan.FromHours(24) * 0.6), RenewalPlanner.NextAt(state with { Jitter = 1 }));
        Assert.Equal(from + (TimeSpan.FromHours(24) * 0.4), RenewalPlanner.NextAt(state with { Jitter = -1 }));
        Assert.Equal(DateTimeOffset.MaxValue, RenewalPlanner.NextAt(state with { Released = true }));

        var failed = state with { Failures = 1, FailedAt = from.AddHours(12) };
        Assert.Equal(from.AddHours(12).AddMilliseconds(100), RenewalPlanner.NextAt(failed));
        Assert.Equal(from.AddHours(12).AddMilliseconds(800), RenewalPlanner.NextAt(failed with { Failures = 4 }));
        Assert.Equal(from.AddHours(12).AddMinutes(1), RenewalPlanner.NextAt(failed with { Failures = 1000 }));
        Assert.Equal(DateTimeOffset.MinValue, RenewalPlanner.NextAt(new(null, null, 1, 0, default, false)));
    }

    public void Dispose()
    {
        _bed.Dispose();
        _authority.Dispose();
    }
}
