using System.Collections.Immutable;
using Weft.Api;
using Weft.Client;

namespace Weft.Control.Lifecycle;

/// <summary>What the server serves, as a snapshot: kinds to resources.</summary>
internal sealed class ResourceMap(ImmutableArray<ApiResource> all)
{
    public static readonly ResourceMap Empty = new([]);

    public ImmutableArray<ApiResource> All => all;

    /// <summary>The resource of an owner reference; null when the kind is not served.</summary>
    public ApiResource? Find(OwnerReference reference)
    {
        var group = GroupVersionKind.ParseApiVersion(reference.ApiVersion)?.Group;
        return all.FirstOrDefault(resource => resource.Resource.Group == group && resource.Kind == reference.Kind);
    }

    /// <summary>Whether its objects can be owned and collected. Events are too many, and nobody owns them.</summary>
    public static bool IsCollectable(ApiResource resource) =>
        resource.Verbs.Contains("list") && resource.Verbs.Contains("watch") && resource.Verbs.Contains("delete") && resource.Resource.Resource != "events";
}
