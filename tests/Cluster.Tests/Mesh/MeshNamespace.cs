using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>A namespace with a service `web` in two versions and a client with the machine's own tools, whose requests go the mesh's way.</summary>
internal sealed partial class MeshNamespace : IAsyncDisposable
{
    private readonly TestNamespace _ns;

    private MeshNamespace(TestNamespace ns) => _ns = ns;

    internal TestNamespace Namespace => _ns;

    internal string Name => _ns.Name;

    /// <param name="clientNode">On which of the two nodes the client is; null: on either.</param>
    internal static async Task<MeshNamespace> CreateAsync(WeftCluster cluster, int? clientNode = null)
    {
        var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec:
              selector: {app: web}
              ports: [{name: http, port: 80, targetPort: 8080}]
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: web}
            spec:
              host: web
              subsets:
              - {name: v1, labels: {version: v1} }
              - {name: v2, labels: {version: v2} }
            ---
            {{Echo("web", "v1")}}
            ---
            {{Echo("web", "v2")}}
            ---
            {{TestNamespace.Deployment("client", more: clientNode is { } node ? $"      nodeName: {NodeName(node)}" : "")}}
            """);
        foreach (var name in new[] { "web-v1", "web-v2", "client" })
            await ns.RolledOutAsync(name);
        var created = new MeshNamespace(ns);
        await ns.EventuallyAsync("both versions answer", async () => (await created.VersionsAsync("http://web/", 20)).Count == 2);
        return created;
    }

    /// <summary>Of a service in one version: answers with what it was asked and who it is.</summary>
    internal static string Echo(string app, string version, int replicas = 1, string more = "") => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{app}}-{{version}} }
        spec:
          replicas: {{replicas.ToString(CultureInfo.InvariantCulture)}}
          selector: {matchLabels: {app: {{app}}, version: {{version}} } }
          template:
            metadata: {labels: {app: {{app}}, version: {{version}} } }
            spec:
              terminationGracePeriodSeconds: 1
              {{more}}
              containers:
              - name: main
                image: echo
                imagePullPolicy: IfNotPresent
                ports: [{containerPort: 8080}]
                env:
                - {name: VERSION, value: {{version}} }
                - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name} } }
                readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
        """;

    /// <summary>A rule for `web`, given as the `http` part of a VirtualService.</summary>
    internal Task RuleAsync(string http) => ProgrammedAsync("virtualservice/web", $$"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: web}
        spec:
          hosts: [web]
          http:
        {{string.Join('\n', http.Split('\n').Select(line => "  " + line))}}
        """);

    /// <summary>Applies, and waits until every proxy serves it.</summary>
    internal async Task ProgrammedAsync(string what, string yaml)
    {
        await _ns.ApplyAsync(yaml);
        (await _ns.KubectlAsync("wait", "--for=condition=Programmed", what, "--timeout=60s")).Succeeded();
    }

    /// <summary>
    /// A process of the machine, as `machine`, on node 1, whose address is none of the cluster's ranges: no service entry may name those. A client of the
    /// same node reaches it whatever the mesh says, as everything that listens at its own node's addresses.
    /// </summary>
    internal async Task MachineAsync(string command, int port)
    {
        await _ns.ApplyAsync(Scripted.Deployment("machine", "v1", command, $"hostNetwork: true\n      nodeName: {NodeName(1)}", port));
        await _ns.RolledOutAsync("machine-v1");
    }

    private static string NodeName(int node) => Environment.MachineName.ToLowerInvariant() + (node == 1 ? "" : "-2");

    /// <summary>A shell command in the client's network.</summary>
    internal async Task<string> ClientAsync(string script) => (await _ns.KubectlAsync("exec", "deploy/client", "--", "sh", "-c", script)).Succeeded();

    /// <summary>Status of each of so many requests over one connection.</summary>
    internal async Task<IReadOnlyDictionary<string, int>> StatusesAsync(string url, int requests = 1, string options = "") =>
        Counted(await ClientAsync($"curl -s -m 20 {options} -o /dev/null -w '%{{http_code}}\\n' '{Numbered(url, requests)}' | sort | uniq -c; true"));

    /// <summary>How many requests each version answered.</summary>
    internal async Task<IReadOnlyDictionary<string, int>> VersionsAsync(string url, int requests, string options = "") =>
        Counted(await ClientAsync($"curl -s -m 60 {options} '{Numbered(url, requests)}' | grep -o '\"VERSION\":\"[a-z0-9]*\"' | cut -d'\"' -f4 | sort | uniq -c; true"));

    private static string Numbered(string url, int requests) => url + (url.Contains('?') ? "&" : "?") + $"n=[1-{requests.ToString(CultureInfo.InvariantCulture)}]";

    internal static Dictionary<string, int> Counted(string lines) =>
        Line().Matches(lines).ToDictionary(match => match.Groups["what"].Value, match => int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^\s*(?<count>\d+)\s+(?<what>\S+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Line();

    public ValueTask DisposeAsync() => _ns.DisposeAsync();
}
