using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Certificates;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;

namespace Weft.Host.Server;

/// <summary>The administrator's kubeconfig in the data directory; `weft up` copies its context to the caller's own.</summary>
internal static class KubeconfigFile
{
    internal static void Write(ClusterPaths paths, int apiPort, ClusterPki pki) =>
        AtomicFile.Write(paths.Kubeconfig, Of(paths.Name, apiPort, pki, pki.LoadOrIssueClient("admin", "weft-admin", ["system:masters"])), UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>How this node's proxy reaches the server, as itself and not as the node.</summary>
    internal static void WriteProxys(ClusterPaths paths, int apiPort, ClusterPki pki, string node) =>
        ProxyChild.WriteAccess(paths.Proxy, Of(paths.Name, apiPort, pki, pki.LoadOrIssueClient("proxy", $"weft:proxy:{node}", ["weft:proxies"])));

    private static byte[] Of(string name, int apiPort, ClusterPki pki, ClientCredentials client)
    {
        var config = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = Entry(name, "cluster", new JsonObject
            {
                ["certificate-authority-data"] = Base64(pki.AuthorityPem),
                ["server"] = FormattableString.Invariant($"https://127.0.0.1:{apiPort}"),
            }),
            ["users"] = Entry(name, "user", new JsonObject
            {
                ["client-certificate-data"] = Base64(client.CertificatePem),
                ["client-key-data"] = Base64(client.KeyPem),
            }),
            ["contexts"] = Entry(name, "context", new JsonObject { ["cluster"] = name, ["user"] = name }),
            ["current-context"] = name,
        };
        return Encoding.UTF8.GetBytes(YamlTree.Write(config));
    }

    private static JsonArray Entry(string name, string member, JsonObject value) => [new JsonObject { ["name"] = name, [member] = value }];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
