using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>A workload that is no pod.</summary>
[Kind("networking.istio.io", "v1", "WorkloadEntry", Plural = "workloadentries", ShortNames = ["we"], Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record WorkloadEntry : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Where it is and what it is.</summary>
    public WorkloadEntrySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>Where a workload is and what it is.</summary>
public sealed record WorkloadEntrySpec
{
    /// <summary>IP address, or a name with the resolution DNS.</summary>
    public string? Address { get; init; }

    /// <summary>Its ports by the names of the service entry's.</summary>
    public IReadOnlyDictionary<string, int> Ports { get; init; } = Empty.Map<int>();

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty.Strings;

    /// <summary>Its network.</summary>
    public string? Network { get; init; }

    /// <summary>Its place: region/zone/subzone.</summary>
    public string? Locality { get; init; }

    /// <summary>Its share against the others.</summary>
    public int? Weight { get; init; }

    /// <summary>Its service account, in the object's namespace.</summary>
    public string? ServiceAccount { get; init; }
}
