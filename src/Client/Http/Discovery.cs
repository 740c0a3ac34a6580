using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.Client;

/// <summary>What a server serves, by the unaggregated discovery documents that every Kubernetes has.</summary>
public static class Discovery
{
    /// <summary>Every resource in its group's preferred version (subresources left out). A group that does not answer is reported, not fatal.</summary>
    public static async Task<DiscoveryResult> ReadAsync(KubeClient client, CancellationToken cancellationToken)
    {
        var resources = new List<ApiResource>();
        var failed = new List<string>();
        await AddAsync("", "v1", "/api/v1");

        var groups = await client.GetJsonAsync("/apis", cancellationToken);
        foreach (var group in groups["groups"] as JsonArray ?? [])
        {
            var name = Text(group, "name");
            var preferred = Text(group?["preferredVersion"], "version");
            // A resource may be missing in the preferred version: the others are asked, too, and lose against it.
            var versions = (group?["versions"] as JsonArray ?? []).Select(version => Text(version, "version"));
            foreach (var version in versions.OrderBy(version => version == preferred ? 0 : 1))
                await AddAsync(name, version, $"/apis/{name}/{version}");
        }

        return new DiscoveryResult(resources, failed);

        async Task AddAsync(string group, string version, string path)
        {
            JsonNode list;
            try
            {
                list = await client.GetJsonAsync(path, cancellationToken);
            }
            catch (ApiStatusException)
            {
                failed.Add(path);
                return;
            }

            foreach (var entry in list["resources"] as JsonArray ?? [])
            {
                var plural = Text(entry, "name");
                if (plural.Length == 0 || plural.Contains('/') || resources.Any(known => known.Resource.Group == group && known.Resource.Resource == plural))
                    continue;
                resources.Add(new ApiResource(new GroupVersionResource(group, version, plural), Text(entry, "kind"), entry?["namespaced"]?.GetValue<bool>() ?? false)
                {
                    Verbs = [.. (entry?["verbs"] as JsonArray ?? []).Select(verb => verb?.GetValue<string>() ?? "")],
                    Aliases = [Text(entry, "singularName"), .. (entry?["shortNames"] as JsonArray ?? []).Select(alias => alias?.GetValue<string>() ?? "")],
                });
            }
        }
    }

    private static string Text(JsonNode? node, string member) => node?[member]?.GetValue<string>() ?? "";
}

/// <param name="Failed">Paths of group versions that gave no answer: what they serve is unknown, not absent.</param>
public sealed record DiscoveryResult(IReadOnlyList<ApiResource> Resources, IReadOnlyList<string> Failed);
