using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Mesh.Secrets;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>Certificates of the front door and of destination rules: from Secrets to units, and never into a status.</summary>
public sealed class SecretFeedTests
{
    private const string Door = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: door}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: shop-cert}}
        """;

    private static readonly (string Chain, string Key) One = Pair("one"), Other = Pair("other");

    [Fact]
    public async Task A_secret_is_told_to_proxies_when_a_listener_names_it_and_again_when_it_changes()
    {
        await using var world = await MeshWorld.StartAsync(Namespace + "\n---\n" + Tls("shop-cert", One.Chain, One.Key) + "\n---\n" + Tls("not-named", Other.Chain, Other.Key));
        var proxy = world.Proxy();
        await world.ApplyAsync(Door);
        await Eventually.TrueAsync(() => proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert") is not null);
        Assert.Equal((One.Chain.Trim(), One.Key), (proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert")!.Certificate!.Trim(), proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert")!.Key));
        Assert.NotNull(proxy.Find<ListenerUnit>(UnitKind.Listener, "gateway/443"));
        await world.BecomesAsync("Gateway", "door", "Programmed", "True Programmed 1");

        await world.ApplyAsync(Tls("shop-cert", Other.Chain, Other.Key));
        await Eventually.TrueAsync(() => proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert")!.Key == Other.Key);
        await world.DeleteAsync("Gateway", "door");
        await Eventually.TrueAsync(() => !proxy.Units.Keys.Any(key => key.Kind is UnitKind.Secret or UnitKind.Listener));
        Assert.Empty(world.Cluster.Complaints);
    }

    [Fact]
    public async Task A_secret_that_is_missing_or_broken_is_told_to_the_gateway_without_a_byte_of_it()
    {
        await using var world = await MeshWorld.StartAsync(Namespace + "\n---\n" + Door);
        var proxy = world.Proxy();
        await world.BecomesAsync("Gateway", "door", "Accepted", "False Invalid 1");
        Assert.Contains("spec.servers[0].tls.credentialName: Secret istio-system/shop-cert does not exist", await StatusAsync(world), StringComparison.Ordinal);

        await world.ApplyAsync(Tls("shop-cert", One.Chain, One.Key));
        await world.BecomesAsync("Gateway", "door", "Programmed", "True Programmed 1");

        // The certificate of one with the key of the other: what was good goes on.
        await world.ApplyAsync(Tls("shop-cert", One.Chain, Other.Key));
        await world.BecomesAsync("Gateway", "door", "Accepted", "False Invalid 1");
        var status = await StatusAsync(world);
        Assert.Contains("has a key that is not the certificate's", status, StringComparison.Ordinal);
        foreach (var line in (One.Chain + Other.Key).Split('\n').Where(line => line.Length > 20 && !line.StartsWith('-')))
            Assert.DoesNotContain(line, status, StringComparison.Ordinal);
        Assert.Equal(One.Key, proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert")!.Key);

        await world.DeleteAsync("Secret", "shop-cert", "istio-system");
        await Eventually.TrueAsync(() => proxy.Find<SecretUnit>(UnitKind.Secret, "istio-system/shop-cert") is null);
    }

    [Fact]
    public async Task A_destination_rule_uses_secrets_of_its_own_namespace()
    {
        await using var world = await MeshWorld.StartAsync(
            "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 443}]}}\n---\n"
            + "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web}, spec: {host: web, trafficPolicy: {tls: {mode: MUTUAL, credentialName: client}}}}");
        var proxy = world.Proxy();
        await world.BecomesAsync("DestinationRule", "web", "Accepted", "False Invalid 1");
        await world.ApplyAsync(Generic("client", ("cert", One.Chain), ("key", One.Key)) + "\n---\n" + Generic("client-cacert", ("cacert", Other.Chain)));
        await world.BecomesAsync("DestinationRule", "web", "Programmed", "True Programmed 1");
        // The first of the two Secrets is enough for Programmed.
        await Eventually.TrueAsync(() => proxy.Find<SecretUnit>(UnitKind.Secret, "default/client")?.Authorities is not null);
        var unit = proxy.Find<SecretUnit>(UnitKind.Secret, "default/client")!;
        Assert.Equal((One.Key, Other.Chain.Trim()), (unit.Key, unit.Authorities!.Trim()));
    }

    [Theory]
    [InlineData("istio-system/shop-cert", true)]
    [InlineData("istio-system/a.b-c", true)]
    [InlineData("istio-system/", false)]
    [InlineData("istio-system/a,metadata.namespace=kube-system", false)]
    [InlineData("istio-system/../x", false)]
    [InlineData("istio-system/A", false)]
    public void Only_names_are_asked_for(string name, bool isName) => Assert.Equal(isName, SecretFeed.IsName(name));

    public static TheoryData<string, string> Broken => new()
    {
        { "", "has no certificate: tls.crt (or cert) is missing, empty or larger than 256 KB" },
        { "tls.crt=CHAIN", "has no key: tls.key (or key) is missing, empty or larger than 256 KB" },
        { "tls.crt=text|tls.key=KEY", "has no certificate in PEM at tls.crt (or cert)" },
        { "tls.crt=CHAIN|tls.key=text", "has a key that is not the certificate's, or is none in PEM without a passphrase" },
        { "tls.crt=CHAIN|tls.key=KEY", "has no authorities: ca.crt (or cacert), or a Secret of the same name with -cacert behind it, is missing, empty or larger than 256 KB" },
        { "tls.crt=CHAIN|tls.key=KEY|ca.crt=text", "has no certificate in PEM at ca.crt (or cacert)" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_wrong_with_a_secret_is_said(string data, string problem)
    {
        var entries = data.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(entry => entry.Split('=', 2))
            .ToDictionary(entry => entry[0], entry => Encoding.UTF8.GetBytes(entry[1] switch { "CHAIN" => One.Chain, "KEY" => One.Key, var text => text }));
        var reading = SecretReader.Read(new() { Data = entries }, null, SecretNeeds.Certificate | SecretNeeds.Authorities);
        Assert.Equal(problem, reading.Problem);
        Assert.Null(reading.Unit);
    }

    [Fact]
    public void A_secret_unit_is_not_printed() => Assert.Equal("SecretUnit", new SecretUnit { Key = One.Key }.ToString());

    private static async Task<string> StatusAsync(MeshWorld world) => (await world.GetAsync("Gateway", "door"))["status"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private const string Namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}";

    private static string Tls(string name, string chain, string key) =>
        $"{{apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {{name: {name}, namespace: istio-system}}, data: {{tls.crt: {Base64(chain)}, tls.key: {Base64(key)}}}}}";

    private static string Generic(string name, params (string Name, string Value)[] data) =>
        $"{{apiVersion: v1, kind: Secret, type: Opaque, metadata: {{name: {name}}}, data: {{{string.Join(", ", data.Select(entry => $"{entry.Name}: {Base64(entry.Value)}"))}}}}}";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static (string Chain, string Key) Pair(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(ManualTime.Start, ManualTime.Start.AddYears(10));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
