using Weft.Api.Schemas;

namespace Weft.Api;

/// <summary>One observed condition of an object, in the common form.</summary>
[Definition("io.k8s.apimachinery.pkg.apis.meta.v1.Condition")]
public sealed record Condition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must, OneOf("True", "False", "Unknown")] public string Status { get; init; } = "";

    /// <summary>Generation that the condition describes.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>When the status last changed.</summary>
    [Must] public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    [Must] public string Reason { get; init; } = "";

    /// <summary>For people: details of the last change.</summary>
    [Must] public string Message { get; init; } = "";
}
