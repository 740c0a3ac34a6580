using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;
using Weft.Client;
using Weft.Client.Joining;
using Weft.Host.Server;

namespace Weft.Host.Agent;

/// <summary>
/// How this node's proxy reaches the server: as `weft:proxy:NODE`, with a certificate that the agent gets for it with the node's own. The proxy parses
/// what strangers send, so it holds no key with which one could act as the node.
/// </summary>
internal static class ProxyAccess
{
    /// <summary>Writes it when there is none, the one there leads elsewhere, or is in the last third of its life. The proxy reads it at each connection.</summary>
    /// <returns>Whether it wrote one.</returns>
    internal static async Task<bool> EnsureAsync(ClusterPaths paths, AgentSettings settings, NodeCredentials credentials, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var server = new Uri(settings.Server);
        if (settings.DnsAddress is null || !IsDue(ProxyChild.AccessFile(paths.Proxy), server, now))
            return false;
        var (key, certificate) = await JoinClient.ProxyAsync(server, settings.NodeName, credentials, cancellationToken);
        KubeconfigFile.WriteProxys(paths, server, credentials.AuthorityPem, certificate, key);
        return true;
    }

    private static bool IsDue(string path, Uri server, DateTimeOffset now)
    {
        if (!File.Exists(path))
            return true;
        try
        {
            var access = Kubeconfig.Load(path, null, "").Access();
            using var certificate = X509Certificate2.CreateFromPem(access.ClientCertificatePem ?? "");
            return access.Server != server || certificate.NotAfter - now < (certificate.NotAfter - certificate.NotBefore) / 3;
        }
        catch (Exception unusable) when (unusable is KubeconfigException or CryptographicException)
        {
            return true;
        }
    }
}
