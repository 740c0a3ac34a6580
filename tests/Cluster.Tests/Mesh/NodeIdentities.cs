using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>What the proxies of both nodes show and trust, as they keep it on disk.</summary>
internal sealed class NodeIdentities(WeftCluster cluster)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly string[] Directories = ["proxy", "nodes/2/proxy"];

    private readonly Dictionary<string, HashSet<string>> _seen = [];

    /// <summary>Certificates that have been seen of the account that has changed least.</summary>
    internal int Fewest => _seen.Values.Min(serials => serials.Count);

    internal async Task EventuallyAsync(string what, Predicate<NodeIdentity> holds) => await Eventually.TrueAsync(
        async () =>
        {
            var all = Read().TrueForAll(holds);
            if (!all)
                await Task.Delay(Look, TimeProvider.System); // the machine is busy with what is measured
            return all;
        },
        what, () => string.Join('\n', Read()));

    internal List<NodeIdentity> Read() => [.. Directories.Select(Read)];

    private NodeIdentity Read(string node)
    {
        var directory = Path.Combine(cluster.DataDir, node, "state", "identities");
        var issuers = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(directory, "*.pem"))
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            issuers.Add(certificate.Issuer);
            var account = $"{node} {Path.GetFileName(file)}";
            if (!_seen.TryGetValue(account, out var serials))
                _seen.Add(account, serials = []);
            serials.Add(certificate.SerialNumber);
        }

        var roots = (string)JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "bundle.json")))!["bundle"]!["roots"]!;
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(roots);
        return new NodeIdentity(node, roots, [.. trusted.Select(root => root.Subject)], issuers);
    }
}

/// <param name="Roots">PEM of what it trusts.</param>
/// <param name="Trusts">Their subjects.</param>
/// <param name="Issuers">Of the certificates that it shows.</param>
internal sealed record NodeIdentity(string Node, string Roots, HashSet<string> Trusts, HashSet<string> Issuers)
{
    public override string ToString() => $"{Node} trusts [{string.Join(", ", Trusts)}], shows certificates of [{string.Join(", ", Issuers)}]";
}
