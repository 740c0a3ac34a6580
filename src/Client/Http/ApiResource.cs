using Weft.Api;

namespace Weft.Client;

/// <summary>Where a resource is served, and what its objects are called.</summary>
public sealed record ApiResource(GroupVersionResource Resource, string Kind, bool Namespaced)
{
    /// <summary>Verbs from discovery; empty when the resource is known from its type.</summary>
    public IReadOnlyList<string> Verbs { get; init; } = [];

    /// <summary>Other names a person may use: `deploy`, `deployment`.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    public GroupVersionKind GroupVersionKind => new(Resource.Group, Resource.Version, Kind);

    /// <summary>Path of all objects, or of those of one namespace.</summary>
    public string CollectionPath(string? @namespace)
    {
        var root = Resource.Group.Length == 0 ? $"/api/{Resource.Version}" : $"/apis/{Resource.Group}/{Resource.Version}";
        return string.IsNullOrEmpty(@namespace) || !Namespaced
            ? $"{root}/{Resource.Resource}"
            : $"{root}/namespaces/{Uri.EscapeDataString(@namespace)}/{Resource.Resource}";
    }

    public string ObjectPath(ObjectKey key, string subresource = "")
    {
        if (Namespaced && key.Namespace.Length == 0)
            throw new ArgumentException($"{Resource.Qualified} are namespaced: '{key.Name}' needs a namespace.", nameof(key));
        if (key.Name.Length == 0)
            throw new ArgumentException($"A name is needed to address one of {Resource.Qualified}.", nameof(key));
        var path = $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
        return subresource.Length == 0 ? path : $"{path}/{subresource}";
    }

    public override string ToString() => $"{Resource.Qualified}/{Resource.Version}";
}
