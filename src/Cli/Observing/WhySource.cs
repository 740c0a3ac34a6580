using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.Cli.Objects;
using Weft.Client;

namespace Weft.Cli.Observing;

/// <summary>From what a person names as the source of a request to the pod that stands for it.</summary>
public static class WhySource
{
    private static readonly Dictionary<string, (string Group, string Resource)> Kinds = new()
    {
        ["deploy"] = ("apps", "deployments"), ["deployment"] = ("apps", "deployments"), ["deployments"] = ("apps", "deployments"), ["sts"] = ("apps", "statefulsets"), ["statefulset"] = ("apps", "statefulsets"),
        ["statefulsets"] = ("apps", "statefulsets"), ["ds"] = ("apps", "daemonsets"), ["daemonset"] = ("apps", "daemonsets"), ["daemonsets"] = ("apps", "daemonsets"), ["rs"] = ("apps", "replicasets"), ["replicaset"] = ("apps", "replicasets"),
        ["job"] = ("batch", "jobs"), ["jobs"] = ("batch", "jobs"),
    };

    /// <summary>`outside`, `host`, or a kind and a name.</summary>
    /// <returns>Where it is from, and the name; a pod for whatever makes pods when <paramref name="kind"/> is `pod`.</returns>
    public static (string Kind, string Name) Parse(string from)
    {
        var slash = from.IndexOf('/');
        if (from is "outside" or "host")
            return (from, "");
        if (slash <= 0 || slash == from.Length - 1)
            throw new CommandException($"--from {from}: is none of deploy/NAME, pod/NAME, sts/NAME, ds/NAME, job/NAME, outside, host");
        var kind = from[..slash].ToLowerInvariant();
        return kind is "pod" or "pods" or "po" ? ("pod", from[(slash + 1)..]) : Kinds.ContainsKey(kind) ? (kind, from[(slash + 1)..]) : throw new CommandException($"--from {from}: kind '{kind}' makes no pods that send requests");
    }

    /// <summary>A pod of it that runs, the oldest.</summary>
    public static async Task<string> PodAsync(KubeClient client, string kind, string name, string @namespace, CancellationToken cancellationToken)
    {
        if (kind == "pod")
            return name;
        var (group, resource) = Kinds[kind];
        var owner = await client.GetJsonAsync($"/apis/{group}/v1/namespaces/{Uri.EscapeDataString(@namespace)}/{resource}/{Uri.EscapeDataString(name)}", cancellationToken);
        var labels = (owner["spec"]?["selector"]?["matchLabels"] as JsonObject ?? []).Select(label => $"{label.Key}={label.Value.AsText()}");
        var pods = await client.GetJsonAsync($"/api/v1/namespaces/{Uri.EscapeDataString(@namespace)}/pods?labelSelector={Uri.EscapeDataString(string.Join(',', labels))}", cancellationToken);
        var running = (pods["items"] as JsonArray ?? []).OfType<JsonObject>().Where(pod => pod["status"]?["phase"].AsText() == "Running" && pod["metadata"]?["deletionTimestamp"] is null)
            .OrderBy(pod => pod["metadata"]?["creationTimestamp"].AsText(), StringComparer.Ordinal).FirstOrDefault();
        return running?["metadata"]?["name"].AsText() ?? throw new CommandException($"{kind}/{name} has no pod that runs in namespace {@namespace}: name one with --from pod/NAME");
    }
}
