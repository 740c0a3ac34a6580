using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apps;

/// <summary>A stored state of a workload, for rollbacks.</summary>
[Kind("apps", "v1", "ControllerRevision", DefinitionPrefix = "io.k8s.api.apps.v1")]
public sealed record ControllerRevision : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The state.</summary>
    [Definition("io.k8s.apimachinery.pkg.runtime.RawExtension")] public JsonObject? Data { get; init; }

    /// <summary>Number of the revision.</summary>
    [Must] public long Revision { get; init; }
}
