using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Identity;
using Weft.Proxy.Config.Identity;
using Weft.Testing;

namespace Weft.Control.Tests.Identity;

public sealed class MeshAuthorityTests : IDisposable
{
    private static readonly WorkloadAccount Web = new("shop", "web");
    private readonly TempDir _directory = new();
    private readonly ManualTime _time = new();

    private string FilePath => _directory.File("mesh/authority.json");

    [Fact]
    public void A_certificate_has_the_identity_and_nothing_of_what_was_asked_for()
    {
        using var authority = Authority();
        var (key, request) = TestRoots.Request();
        using (key)
        {
            using var certificate = X509Certificate2.CreateFromPem(authority.Sign(Web, request));
            Assert.Equal("", certificate.Subject);
            Assert.Equal(["spiffe://cluster.local/ns/shop/sa/web"], UrisOf(certificate));
            Assert.True(certificate.Extensions.Single(each => each.Oid!.Value == "2.5.29.17").Critical);
            Assert.Equal(_time.GetUtcNow().AddMinutes(-5), certificate.NotBefore.ToUniversalTime());
            Assert.Equal(_time.GetUtcNow().AddHours(24), certificate.NotAfter.ToUniversalTime());
            Assert.Equal(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"], certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(each => each.Value));
            Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
            Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
            AssertTrusted(authority.Bundle.Roots, authority.Sign(Web, request), _time.GetUtcNow());
        }
    }

    [Fact]
    public void No_two_certificates_have_a_serial_number()
    {
        using var authority = Authority();
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var numbers = Enumerable.Range(0, 50).Select(_ => X509Certificate2.CreateFromPem(authority.Sign(Web, request)).SerialNumber).ToHashSet();
            Assert.Equal(50, numbers.Count);
        }
    }

    [Theory]
    [InlineData("shop", "web/../x")]
    [InlineData("shop", "")]
    [InlineData("shop", "web,URI:spiffe://cluster.local/ns/kube-system/sa/root")]
    [InlineData("Shop", "web")]
    [InlineData("a.b", "web")]
    public void What_is_no_name_of_an_account_is_not_signed(string @namespace, string name)
    {
        using var authority = Authority();
        var (key, request) = TestRoots.Request();
        using (key)
            Assert.Throws<ArgumentException>(() => authority.Sign(new(@namespace, name), request));
    }

    [Fact]
    public void Other_keys_and_requests_that_are_signed_wrongly_are_refused()
    {
        using var authority = Authority();
        var (key, large) = TestRoots.Request(ECCurve.NamedCurves.nistP384);
        key.Dispose();
        Assert.Throws<CryptographicException>(() => authority.Sign(Web, large));

        using var rsa = RSA.Create(2048);
        Assert.Throws<CryptographicException>(() => authority.Sign(Web, new CertificateRequest("CN=a", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem()));

        var (other, good) = TestRoots.Request();
        other.Dispose();
        var der = Convert.FromBase64String(string.Concat(good.Split('\n').Where(line => !line.StartsWith('-'))));
        der[^1] ^= 1;
        Assert.Throws<CryptographicException>(() => authority.Sign(Web, PemEncoding.WriteString("CERTIFICATE REQUEST", der)));
    }

    [Fact]
    public void It_is_the_same_after_a_restart_and_readable_by_its_owner_alone()
    {
        string roots;
        using (var first = Authority())
            roots = first.Bundle.Roots;
        using var second = Authority();
        Assert.Equal(roots, second.Bundle.Roots);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!));
        Assert.DoesNotContain("PRIVATE", second.State.Signer!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_named_and_not_quoted()
    {
        Authority().Dispose();
        File.WriteAllText(FilePath, File.ReadAllText(FilePath)[..^10]);
        var error = Assert.Throws<InvalidDataException>(() => Authority());
        Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_imported_intermediate_signs_with_its_chain()
    {
        using var authority = Authority();
        authority.Import(Imported(TestRoots.Cacerts()));
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var chain = authority.Sign(Web, request);
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPem(chain);
            Assert.Equal(2, certificates.Count); // the root is in the bundle and not in the chain
            AssertTrusted(authority.Bundle.Roots, chain, _time.GetUtcNow());
        }
    }

    [Fact]
    public void A_root_is_changed_while_both_are_trusted()
    {
        using var authority = Authority();
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var old = authority.Sign(Web, request);
            var before = authority.Bundle;
            var changed = authority.ChangedAsync(before.Version);
            authority.Import(Imported(TestRoots.Cacerts()));
            Assert.True(changed.IsCompleted);
            var both = authority.Bundle;
            Assert.Equal(before.Version + 1, both.Version);
            AssertTrusted(before.Roots, authority.Sign(Web, request), _time.GetUtcNow()); // still the old one

            _time.Advance(TimeSpan.FromHours(24));
            authority.Advance();
            var next = authority.Sign(Web, request);
            AssertTrusted(both.Roots, next, _time.GetUtcNow()); // whoever has heard of nothing for a day knows it
            AssertTrusted(both.Roots, old, ManualTime.Start);
            Assert.Equal(both.Roots, authority.Bundle.Roots);

            _time.Advance(TimeSpan.FromHours(24) + TimeSpan.FromMinutes(5));
            authority.Advance();
            AssertTrusted(authority.Bundle.Roots, next, ManualTime.Start.AddHours(25));
            Assert.ThrowsAny<Exception>(() => AssertTrusted(authority.Bundle.Roots, old, ManualTime.Start));
        }
    }

    [Fact]
    public async Task With_short_certificates_a_root_is_changed_within_the_times_that_follow_from_them()
    {
        var settings = RotationSettings.Of(TimeSpan.FromSeconds(20));
        using var authority = new MeshAuthority(new AuthorityFile(FilePath), "cluster.local", settings, _time, NullLogger<MeshAuthority>.Instance);
        var (key, request) = TestRoots.Request();
        key.Dispose();
        authority.Sign(Web, request);
        using var stopping = new CancellationTokenSource();
        var running = authority.RunAsync(stopping.Token);
        authority.Import(Imported(TestRoots.Cacerts()));
        Assert.False(authority.State.Signer!.Imported);

        await PassAsync(settings.Overlap + settings.Look);
        await Eventually.TrueAsync(() => authority.State.Signer!.Imported);
        Assert.Equal(2, authority.State.Roots.Length);

        await PassAsync(settings.CertificateLife + settings.Skew + settings.Look);
        await Eventually.TrueAsync(() => authority.State.Roots.Length == 1);
        await stopping.CancelAsync();
        await Eventually.EndsAsync(running);

        async Task PassAsync(TimeSpan all)
        {
            for (var passed = TimeSpan.Zero; passed < all; passed += settings.Look)
            {
                await Eventually.TrueAsync(() => _time.PendingTimers > 0);
                _time.Advance(settings.Look);
            }
        }
    }

    [Fact]
    public void An_import_outlives_a_restart_before_the_secret_is_read_again()
    {
        using (var first = Authority())
            first.Import(Imported(TestRoots.Cacerts()));
        using var second = Authority();
        Assert.True(second.State.Signer!.Imported);
        Assert.Single(second.State.Roots);
    }

    [Fact]
    public void A_certificate_ends_with_its_authority()
    {
        using var authority = Authority();
        var end = ManualTime.Start.AddHours(3);
        authority.Import(Imported(TestRoots.Cacerts(notAfter: end)));
        var (key, request) = TestRoots.Request();
        using (key)
        {
            using var certificate = X509Certificate2.CreateFromPem(authority.Sign(Web, request));
            Assert.Equal(end, certificate.NotAfter.ToUniversalTime());
        }
    }

    public static TheoryData<string, string> Unusable => new()
    {
        { "missing ca-key.pem", "ca-key.pem" },
        { "missing root-cert.pem", "root-cert.pem" },
        { "key of another", "ca-key.pem" },
        { "root of another", "ca-cert.pem" },
        { "no certificate", "ca-cert.pem" },
        { "leaf", "ca-cert.pem" },
        { "expired", "ca-cert.pem" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_cannot_be_imported_is_refused_by_the_name_of_its_entry(string what, string entry)
    {
        var data = TestRoots.Cacerts();
        var other = TestRoots.Cacerts("other");
        switch (what)
        {
            case "missing ca-key.pem" or "missing root-cert.pem":
                data.Remove(what.Split(' ')[1]);
                break;
            case "key of another":
                data["ca-key.pem"] = other["ca-key.pem"];
                break;
            case "root of another":
                data["root-cert.pem"] = other["root-cert.pem"];
                data.Remove("cert-chain.pem");
                break;
            case "no certificate":
                data["ca-cert.pem"] = "hello"u8.ToArray();
                break;
            case "leaf":
                using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                using (var leaf = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256).CreateSelfSigned(ManualTime.Start, ManualTime.Start.AddDays(1)))
                    data = new() { ["ca-cert.pem"] = TestRoots.Bytes(leaf.ExportCertificatePem()), ["ca-key.pem"] = TestRoots.Bytes(key.ExportPkcs8PrivateKeyPem()), ["root-cert.pem"] = TestRoots.Bytes(leaf.ExportCertificatePem()) };
                break;
            case "expired":
                data = TestRoots.Cacerts(notAfter: ManualTime.Start.AddMinutes(-1));
                break;
        }

        Assert.Null(ImportedRoot.Read(data, _time.GetUtcNow(), out var error));
        Assert.StartsWith(entry, error, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", error, StringComparison.Ordinal);
    }

    private static MeshRoot Imported(Dictionary<string, byte[]> data)
    {
        var root = ImportedRoot.Read(data, ManualTime.Start, out var error);
        Assert.Null(error);
        return root!;
    }

    private MeshAuthority Authority() => new(new AuthorityFile(FilePath), "cluster.local", new RotationSettings(), _time, NullLogger<MeshAuthority>.Instance);

    internal static void AssertTrusted(string roots, string chainPem, DateTimeOffset at)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(chainPem);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(roots);
        chain.ChainPolicy.ExtraStore.AddRange(certificates);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = at.UtcDateTime;
        Assert.True(chain.Build(certificates[0]), string.Join("; ", chain.ChainStatus.Select(each => each.StatusInformation)));
    }

    private static List<string> UrisOf(X509Certificate2 certificate)
    {
        var found = new List<string>();
        var names = new System.Formats.Asn1.AsnReader(certificate.Extensions.Single(each => each.Oid!.Value == "2.5.29.17").RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
            found.Add(names.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6)));
        return found;
    }

    public void Dispose() => _directory.Dispose();
}
