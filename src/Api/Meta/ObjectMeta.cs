using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api;

/// <summary>What every stored object has. Implemented by every type with a <see cref="KindAttribute"/>.</summary>
public interface IObject
{
    /// <summary>Group and version of the kind: v1, apps/v1.</summary>
    string? ApiVersion { get; init; }

    /// <summary>Name of the kind.</summary>
    string? Kind { get; init; }

    /// <summary>Name, identity, ownership and labels.</summary>
    ObjectMeta Metadata { get; init; }
}

/// <summary>Name, identity, ownership and labels of an object.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")]
public sealed record ObjectMeta
{
    /// <summary>Unique within its namespace; set at creation and never changed.</summary>
    public string? Name { get; init; }

    /// <summary>Prefix from which the server makes a unique name when `name` is absent.</summary>
    public string? GenerateName { get; init; }

    /// <summary>The namespace of a namespaced object.</summary>
    public string? Namespace { get; init; }

    /// <summary>Deprecated: a path to the object; the server no longer fills it.</summary>
    public string? SelfLink { get; init; }

    /// <summary>Given by the server: tells two lives of the same name apart.</summary>
    public string? Uid { get; init; }

    /// <summary>Opaque revision of the last change, for optimistic concurrency and watches.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Counts the changes of the desired state.</summary>
    public long? Generation { get; init; }

    /// <summary>When the server created the object (RFC 3339, UTC, seconds).</summary>
    public DateTimeOffset? CreationTimestamp { get; init; }

    /// <summary>When the object is to be gone; set by the server at a graceful delete, present while finalizers or a grace period hold the object.</summary>
    public DateTimeOffset? DeletionTimestamp { get; init; }

    /// <summary>Seconds of grace that the delete gave.</summary>
    public long? DeletionGracePeriodSeconds { get; init; }

    /// <summary>Key-value pairs to select objects by.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty.Strings;

    /// <summary>Key-value pairs for tools; not selectable.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = Empty.Strings;

    /// <summary>Objects that own this one; when all are gone, it is collected.</summary>
    [List(ListType.Map, "uid"), Patch(PatchStrategy.Merge, "uid")]
    public IReadOnlyList<OwnerReference> OwnerReferences { get; init; } = [];

    /// <summary>Names that must be taken away before the object can be removed.</summary>
    [List(ListType.Set), Patch(PatchStrategy.Merge)]
    public IReadOnlyList<string> Finalizers { get; init; } = [];

    /// <summary>Which manager set which fields, for server-side apply.</summary>
    public IReadOnlyList<ManagedFieldsEntry> ManagedFields { get; init; } = [];
}

/// <summary>An owner in the same namespace, or a cluster-scoped one.</summary>
[Atomic, Definition("io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference")]
public sealed record OwnerReference
{
    /// <summary>API version of the owner.</summary>
    [Must] public string ApiVersion { get; init; } = "";

    /// <summary>Kind of the owner.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Name of the owner.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Uid of the owner.</summary>
    [Must] public string Uid { get; init; } = "";

    /// <summary>True for the one owner that manages this object.</summary>
    public bool? Controller { get; init; }

    /// <summary>The owner cannot be removed by a foreground delete before this object is.</summary>
    public bool? BlockOwnerDeletion { get; init; }
}

/// <summary>The set of fields that one manager last set by one operation.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry")]
public sealed record ManagedFieldsEntry
{
    /// <summary>Name of the manager.</summary>
    public string? Manager { get; init; }

    /// <summary>Apply or Update.</summary>
    public string? Operation { get; init; }

    /// <summary>API version in which the fields are named.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>When the entry last changed.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>Always FieldsV1.</summary>
    public string? FieldsType { get; init; }

    /// <summary>The fields, as a tree of `f:`, `k:` and `v:` keys.</summary>
    [Definition("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1")]
    public JsonObject? FieldsV1 { get; init; }

    /// <summary>Subresource by which the fields were set, or empty.</summary>
    public string? Subresource { get; init; }
}
