using Weft.Api;
using Weft.Api.Schemas;

namespace Weft.ApiServer.Registry;

/// <summary>One resource in one served version. Built-in kinds and CRDs give the same record; verbs, discovery, OpenAPI and Table read nothing else.</summary>
public sealed record ResourceInfo
{
    public required GroupVersionResource Resource { get; init; }
    public required GroupVersionKind Kind { get; init; }
    public required string Singular { get; init; }
    public string ListKind => Kind.Kind + "List";
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public required bool Namespaced { get; init; }
    public required Schema Schema { get; init; }

    /// <summary>The version in which objects are stored; equals Kind.Version unless a CRD has several.</summary>
    public required string StorageVersion { get; init; }

    /// <summary>Of the storage version, when that is another one than this.</summary>
    public Schema? StorageSchema { get; init; }

    /// <summary>Makes objects of one version from those of another; null where versions differ only in what their schemas keep.</summary>
    public IVersionConverter? Converter { get; init; }
    public required IStrategy Strategy { get; init; }

    /// <summary>Changes with the schema of a custom kind (its CRD's generation): an object stored under another epoch is pruned and defaulted again when it is read.</summary>
    public long SchemaEpoch { get; init; }
    public bool HasStatus { get; init; }
    public ScalePaths? Scale { get; init; }
    public IReadOnlyList<TableColumn> Columns { get; init; } = [];

    /// <summary>Verbs as discovery lists them; a virtual resource (SubjectAccessReview) has only create.</summary>
    public IReadOnlyList<string> Verbs { get; init; } = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    /// <summary>Other subresources, for discovery: `pods/log`, `serviceaccounts/token`.</summary>
    public IReadOnlyList<SubresourceInfo> Subresources { get; init; } = [];
    public bool IsCustom { get; init; }

    /// <summary>Its objects are measured when somebody asks, and stored nowhere: an <see cref="Usage.ILiveResource"/> answers.</summary>
    public bool IsLive { get; init; }

    /// <summary>Deprecation warning of a CRD version, or null.</summary>
    public string? DeprecationWarning { get; init; }

    /// <summary>
    /// Store prefix of all objects of the resource: `/registry/&lt;group or core&gt;/&lt;resource&gt;/`, then `&lt;namespace&gt;/` and the name. (The etcd driver puts its cluster in front.)
    /// </summary>
    public string StoragePrefix => StoredAs is { } form ? PrefixOf(form.Resource) : PrefixOf(Resource);

    /// <summary>Set for a resource that serves the objects of another one in a second form.</summary>
    public StoredForm? StoredAs { get; init; }

    private static string PrefixOf(GroupVersionResource resource) => $"/registry/{(resource.Group.Length == 0 ? "core" : resource.Group)}/{resource.Resource}/";
}

/// <summary>Events of events.k8s.io are those of the core group with other names of fields: where they are stored, and how the forms turn into each other, in place.</summary>
public sealed record StoredForm(
    GroupVersionResource Resource, Action<System.Text.Json.Nodes.JsonObject> ToStored, Action<System.Text.Json.Nodes.JsonObject> ToServed);

public sealed record SubresourceInfo(string Name, GroupVersionKind Kind, IReadOnlyList<string> Verbs);

/// <summary>JSON paths (`.spec.replicas`) of the scale subresource.</summary>
public sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector)
{
    /// <summary>The selector is a map of labels.</summary>
    public bool SelectorIsLabels { get; init; }
}

/// <param name="Value">A cell from an object's tree at a time (ages): string, number, bool or null.</param>
/// <param name="Priority">0 is shown always, 1 only with `-o wide`.</param>
public sealed record TableColumn(
    string Name, string Type, string Format, string Description, int Priority,
    Func<System.Text.Json.Nodes.JsonObject, DateTimeOffset, System.Text.Json.Nodes.JsonNode?> Value);

/// <summary>All resources that are served now. A CRD that is established, changed or removed gives a new snapshot.</summary>
public interface IResourceCatalog
{
    ResourceSnapshot Current { get; }

    /// <summary>Reads the definitions as they are in the store now: when it returns, <see cref="Current"/> is not older.</summary>
    ValueTask LoadAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>The resource as of the newest write: one that was established just now is found although its snapshot is still on the way.</summary>
    ValueTask<ResourceInfo?> FindAsync(string group, string version, string resource, CancellationToken cancellationToken) => new(Current.Find(group, version, resource));

    /// <summary>Cancelled when the version of the resource is no longer served, so that what watches it does not wait for ever.</summary>
    CancellationToken Ended(ResourceInfo resource) => CancellationToken.None;
}

public sealed record ResourceSnapshot(long Epoch, IReadOnlyList<ResourceInfo> All)
{
    private readonly System.Collections.Frozen.FrozenDictionary<(string, string, string), ResourceInfo> _byResource =
        System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(All, r => (r.Resource.Group, r.Resource.Version, r.Resource.Resource));

    public ResourceInfo? Find(string group, string version, string resource) => _byResource.GetValueOrDefault((group, version, resource));
}
