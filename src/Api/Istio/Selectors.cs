using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Workloads by labels, as sidecars and service entries write it.</summary>
public sealed record WorkloadSelector
{
    /// <summary>Labels that a workload must have.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty.Strings;
}

/// <summary>Workloads by labels, as policies and destination rules write it.</summary>
public sealed record PolicySelector
{
    /// <summary>Labels that a workload must have.</summary>
    public IReadOnlyDictionary<string, string> MatchLabels { get; init; } = Empty.Strings;
}

/// <summary>An object that a policy is attached to in place of workloads: a Gateway of the Gateway API, or a Service.</summary>
public sealed record PolicyTargetReference
{
    /// <summary>API group.</summary>
    public string? Group { get; init; }

    /// <summary>Kind.</summary>
    [Must] public string Kind { get; init; } = "";

    /// <summary>Name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Namespace; must be that of the policy.</summary>
    public string? Namespace { get; init; }
}

/// <summary>What was last observed of an object.</summary>
public record IstioStatus
{
    /// <summary>Conditions, such as Programmed.</summary>
    [List(ListType.Map, "type")] public IReadOnlyList<IstioCondition> Conditions { get; init; } = [];

    /// <summary>Generation that the status describes.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Errors and warnings, in the form of Istio's own analyzers.</summary>
    public IReadOnlyList<JsonObject> ValidationMessages { get; init; } = [];
}

/// <summary>One observed condition.</summary>
public sealed record IstioCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>Generation that the condition describes.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>When it was last looked at.</summary>
    public DateTimeOffset? LastProbeTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
