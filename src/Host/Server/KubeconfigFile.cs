using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Certificates;
using Weft.Cli.Clusters;

namespace Weft.Host.Server;

/// <summary>The administrator's kubeconfig in the data directory; `weft up` copies its context to the caller's own.</summary>
internal static class KubeconfigFile
{
    internal static void Write(ClusterPaths paths, int apiPort, ClusterPki pki)
    {
        var admin = pki.LoadOrIssueClient("admin", "weft-admin", ["system:masters"]);
        var config = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["clusters"] = Entry(paths.Name, "cluster", new JsonObject
            {
                ["certificate-authority-data"] = Base64(pki.AuthorityPem),
                ["server"] = FormattableString.Invariant($"https://127.0.0.1:{apiPort}"),
            }),
            ["users"] = Entry(paths.Name, "user", new JsonObject
            {
                ["client-certificate-data"] = Base64(admin.CertificatePem),
                ["client-key-data"] = Base64(admin.KeyPem),
            }),
            ["contexts"] = Entry(paths.Name, "context", new JsonObject { ["cluster"] = paths.Name, ["user"] = paths.Name }),
            ["current-context"] = paths.Name,
        };
        AtomicFile.Write(paths.Kubeconfig, Encoding.UTF8.GetBytes(YamlTree.Write(config)), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static JsonArray Entry(string name, string member, JsonObject value) => [new JsonObject { ["name"] = name, [member] = value }];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
