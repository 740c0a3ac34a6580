using System.Globalization;
using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Certificates that hold for 24 s and are renewed every nine or so, on both nodes and under load; meanwhile an administrator replaces the mesh's root.</summary>
public sealed class CertificateRotationTests(ShortCertificatesCluster cluster, ITestOutputHelper output) : IClassFixture<ShortCertificatesCluster>
{
    [Fact]
    public async Task Certificates_and_the_root_are_changed_under_load_and_no_request_is_lost()
    {
        await using var web = await LoadedService.CreateAsync(cluster, replicas: 4);
        using var directory = new TempDir();
        using var old = MeshAuthority.Of(cluster, directory);
        var nodes = new NodeIdentities(cluster);
        var pod = await web.Namespace.GetAsync("{.items[0].status.podIP}", "pods", "-l", "app=web");
        // Of the root that is to go; it holds for an hour.
        var before = old.Issue("before", $"spiffe://cluster.local/ns/{web.Namespace.Name}/sa/default");
        Assert.StartsWith("tunnel 200", await TunnelAsync(), StringComparison.Ordinal);

        var next = ImportedAuthority.Create(directory);
        (await cluster.KubectlAsync(["create", "secret", "generic", "cacerts", "-n", "istio-system", .. next.Files.Select(file => "--from-file=" + file)])).Succeeded();

        // First everybody trusts both, and shows certificates of the old one.
        await nodes.EventuallyAsync("both roots are trusted", node => node.Trusts.SetEquals([old.Name, next.Root]));
        Assert.All(nodes.Read(), node => Assert.DoesNotContain(next.Signer, node.Issuers));
        // Then certificates are the new one's, and the old one is still trusted: there may be certificates of it.
        await nodes.EventuallyAsync("all certificates are the new root's", node =>
        {
            Assert.Superset(new HashSet<string> { next.Root }, node.Trusts);
            return node.Issuers.SetEquals([next.Signer]) && node.Trusts.Contains(old.Name);
        });
        Assert.StartsWith("tunnel 200", await TunnelAsync(), StringComparison.Ordinal);
        // At last nobody trusts it.
        await nodes.EventuallyAsync("the old root is dropped", node => node.Trusts.SetEquals([next.Root]));
        Assert.StartsWith("refused", await TunnelAsync(), StringComparison.Ordinal);

        await web.UnharmedAsync("root replaced", output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"certificates seen of an account on a node: {nodes.Fewest} at least"));
        Assert.True(nodes.Fewest >= 4, "on each node each account had a certificate, and three more");

        async Task<string> TunnelAsync()
        {
            await File.WriteAllTextAsync(old.Roots, nodes.Read()[0].Roots); // who shows it is to be believed by this end in any case
            return (await cluster.RunAsync("/usr/bin/python3", [Script(), pod, "8080", before + ".crt", before + ".key", old.Roots])).Output;
        }
    }

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Scripts", "hbone.py");
}

/// <summary>A mesh in which everything about certificates takes seconds.</summary>
public sealed class ShortCertificatesCluster : ContainerCluster
{
    protected override IReadOnlyList<string> UpArguments => ["--nodes", "2", "--mesh", "on", "--mesh-certificate-life", "24"];
}
