using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.Nodes;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;
using Weft.Client.Joining;

namespace Weft.Host.Server;

/// <summary>The administrator's kubeconfig in the data directory; `weft up` copies its context to the caller's own.</summary>
internal static class KubeconfigFile
{
    internal static void Write(ClusterPaths paths, int apiPort, ClusterPki pki) =>
        AtomicFile.Update(paths.Kubeconfig, Local(paths.Name, apiPort, pki, pki.LoadOrIssueClient("admin", "weft-admin", ["system:masters"])), UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>How this node's proxy reaches the server, as itself and not as the node.</summary>
    internal static void WriteProxys(ClusterPaths paths, int apiPort, ClusterPki pki, string node) =>
        ProxyChild.WriteAccess(paths.Proxy, Local(paths.Name, apiPort, pki, pki.LoadOrIssueClient("proxy", NodeJoin.ProxyPrefix + node, [NodeJoin.ProxyGroup])));

    /// <summary>The proxy of a node that joined: the server is known by its authority and its name, whatever address it is reached at.</summary>
    internal static void WriteProxys(ClusterPaths paths, Uri server, string authorityPem, string certificatePem, string keyPem) =>
        ProxyChild.WriteAccess(paths.Proxy, Of(paths.Name, server.GetLeftPart(UriPartial.Authority), authorityPem, certificatePem, keyPem, NodeCredentials.ServerName));

    private static byte[] Local(string name, int apiPort, ClusterPki pki, ClientCredentials client) =>
        Of(name, FormattableString.Invariant($"https://127.0.0.1:{apiPort}"), pki.AuthorityPem, client.CertificatePem, client.KeyPem, null);

    private static byte[] Of(string name, string server, string authorityPem, string certificatePem, string keyPem, string? serverName)
    {
        var cluster = new JsonObject { ["certificate-authority-data"] = Base64(authorityPem), ["server"] = server };
        if (serverName is not null)
            cluster["tls-server-name"] = serverName;
        var config = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = Entry(name, "cluster", cluster),
            ["users"] = Entry(name, "user", new JsonObject { ["client-certificate-data"] = Base64(certificatePem), ["client-key-data"] = Base64(keyPem) }),
            ["contexts"] = Entry(name, "context", new JsonObject { ["cluster"] = name, ["user"] = name }),
            ["current-context"] = name,
        };
        return Encoding.UTF8.GetBytes(YamlTree.Write(config));
    }

    private static JsonArray Entry(string name, string member, JsonObject value) => [new JsonObject { ["name"] = name, [member] = value }];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
