using System.Security.Cryptography;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Certificates that hold for 30 s, renewed every ten or so, on both nodes and under load.</summary>
public sealed class CertificateRotationTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Certificates_are_renewed_under_load_and_no_request_is_lost()
    {
        await using var cluster = new ShortCertificatesCluster();
        await cluster.InitializeAsync();
        await using var web = await LoadedService.CreateAsync(cluster, replicas: 4);
        var first = await cluster.IdentitiesAsync();
        await cluster.RenewedAsync(first, 3);
        await web.UnharmedAsync("three certificates", output);
    }

    private sealed class ShortCertificatesCluster : ContainerCluster
    {
        protected override IReadOnlyList<string> UpArguments => ["--nodes", "2", "--mesh", "on", "--mesh-certificate-life", "30"];

        /// <summary>Each node's file of identities, by a hash: another one is another certificate.</summary>
        internal Task<IReadOnlyList<string>> IdentitiesAsync() => Task.FromResult<IReadOnlyList<string>>(
            [.. new[] { "proxy", "nodes/2/proxy" }.Select(node => string.Join(' ', Directory.EnumerateFiles(Path.Combine(DataDir, node, "state", "identities"), "*.pem").Order(StringComparer.Ordinal).Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))))))]);

        /// <summary>So many times on each node.</summary>
        internal async Task RenewedAsync(IReadOnlyList<string> known, int times)
        {
            for (var i = 0; i < times; i++)
            {
                var before = known;
                await Eventually.TrueAsync(async () => (known = await IdentitiesAsync()).Zip(before).All(pair => pair.First != pair.Second), "both nodes have new certificates");
            }
        }
    }
}
