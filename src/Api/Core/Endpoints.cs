using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Addresses behind a service (the old form).</summary>
[Kind("", "v1", "Endpoints", Plural = "endpoints", ShortNames = ["ep"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Endpoints : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Groups of addresses with the same ports.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EndpointSubset> Subsets { get; init; } = [];
}

/// <summary>Addresses that share ports.</summary>
[Definition("io.k8s.api.core.v1.EndpointSubset")]
public sealed record EndpointSubset
{
    /// <summary>Ready addresses.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EndpointAddress> Addresses { get; init; } = [];

    /// <summary>Addresses not ready yet.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EndpointAddress> NotReadyAddresses { get; init; } = [];

    /// <summary>Their ports.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<EndpointPort> Ports { get; init; } = [];
}

/// <summary>One address.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.EndpointAddress")]
public sealed record EndpointAddress
{
    /// <summary>The address.</summary>
    [Must] public string Ip { get; init; } = "";

    /// <summary>Host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>Node it is on.</summary>
    public string? NodeName { get; init; }

    /// <summary>The pod.</summary>
    public ObjectReference? TargetRef { get; init; }
}

/// <summary>One port.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.EndpointPort")]
public sealed record EndpointPort
{
    /// <summary>Name of the service port.</summary>
    public string? Name { get; init; }

    /// <summary>Number.</summary>
    [Must] public int Port { get; init; }

    /// <summary>TCP, UDP or SCTP.</summary>
    [OneOf("SCTP", "TCP", "UDP")] public string? Protocol { get; init; }

    /// <summary>Application protocol.</summary>
    public string? AppProtocol { get; init; }
}
