using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Discovery;

/// <summary>The discovery documents of one snapshot, each made when it is first asked for.</summary>
internal sealed class DiscoveryDocuments(ResourceSnapshot snapshot)
{
    private readonly IReadOnlyList<ServedGroup> _groups = ServedGroups.Of(snapshot);
    private readonly ConcurrentDictionary<(string Path, string? Aggregated), CachedDocument?> _made = new();

    internal long Epoch => snapshot.Epoch;

    /// <param name="aggregated">Version of the aggregated form (v2, v2beta1), or null for the legacy one.</param>
    /// <returns>Null when no such group or version is served.</returns>
    internal CachedDocument? Find(string path, string? aggregated)
    {
        var isRoot = path is "/api" or "/apis";
        var key = (path, isRoot ? aggregated : null);
        if (_made.TryGetValue(key, out var made))
            return made;
        var built = Build(path, key.Item2);
        // Only what exists is kept: made-up paths must not fill the memory.
        return built is null ? null : _made.GetOrAdd(key, built);
    }

    private CachedDocument? Build(string path, string? aggregated)
    {
        if (aggregated is not null)
        {
            var groups = _groups.Where(g => (g.Name.Length == 0) == (path == "/api"));
            return CachedDocument.Json(AggregatedDiscovery.Document(groups, aggregated), $"application/json;g=apidiscovery.k8s.io;v={aggregated};as=APIGroupDiscoveryList");
        }

        return Legacy(path.Split('/', StringSplitOptions.RemoveEmptyEntries)) is { } tree ? CachedDocument.Json(tree) : null;
    }

    private JsonObject? Legacy(string[] parts) => parts switch
    {
        ["api"] => LegacyDiscovery.ApiVersions(Group("")),
        ["apis"] => LegacyDiscovery.GroupList(_groups),
        ["api", var version] => Version("", version),
        ["apis", var group] when Group(group) is { } found && group.Length > 0 => LegacyDiscovery.Group(found),
        ["apis", var group, var version] => Version(group, version),
        _ => null,
    };

    private ServedGroup? Group(string name) => _groups.FirstOrDefault(g => g.Name == name);

    private JsonObject? Version(string group, string version) =>
        Group(group)?.Versions.FirstOrDefault(v => v.Version == version) is { } found ? LegacyDiscovery.ResourceList(found) : null;
}
