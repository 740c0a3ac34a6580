using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Adds hosts to those that the mesh knows.</summary>
[Kind("networking.istio.io", "v1", "ServiceEntry", Plural = "serviceentries", ShortNames = ["se"], Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record ServiceEntry : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The hosts and their endpoints.</summary>
    public ServiceEntrySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public ServiceEntryStatus Status { get; init; } = new();
}

/// <summary>What was last observed.</summary>
public sealed record ServiceEntryStatus : IstioStatus
{
    /// <summary>Addresses that hosts without addresses of their own have been given.</summary>
    public IReadOnlyList<HostAddress> Addresses { get; init; } = [];
}

/// <summary>An address that a host has been given.</summary>
public sealed record HostAddress
{
    /// <summary>The host.</summary>
    public string? Host { get; init; }

    /// <summary>Its address, which means something to clients in the mesh alone.</summary>
    public string? Value { get; init; }
}

/// <summary>The hosts and their endpoints.</summary>
public sealed record ServiceEntrySpec
{
    // Istio's own bounds (service_entry.proto).
    public const int MostHosts = 256, MostAddresses = 256, MostPorts = 256, MostEndpoints = 4096;

    /// <summary>The hosts: names, or wildcards such as *.example.com.</summary>
    [Must, Count(0, MostHosts)] public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Addresses or ranges that connections to the hosts are meant for.</summary>
    [Count(0, MostAddresses)] public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>The ports.</summary>
    [Count(0, MostPorts)] public IReadOnlyList<ServiceEntryPort> Ports { get; init; } = [];

    /// <summary>Whether the endpoints are part of the mesh; outside by default.</summary>
    [OneOf("MESH_EXTERNAL", "MESH_INTERNAL")] public string? Location { get; init; }

    /// <summary>Where the endpoints' addresses come from; NONE by default: from the connection itself.</summary>
    [OneOf("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS")] public string? Resolution { get; init; }

    /// <summary>The endpoints.</summary>
    [Count(0, MostEndpoints)] public IReadOnlyList<WorkloadEntrySpec> Endpoints { get; init; } = [];

    /// <summary>Pods and workload entries of the object's namespace that are endpoints; in place of endpoints.</summary>
    public WorkloadSelector? WorkloadSelector { get; init; }

    /// <summary>Namespaces whose clients it is for: "*" for all, "." for the object's own. All by default.</summary>
    [Count(0, VirtualServiceSpec.MostExports)] public IReadOnlyList<string> ExportTo { get; init; } = [];

    /// <summary>One of them must be in the endpoints' certificates.</summary>
    public IReadOnlyList<string> SubjectAltNames { get; init; } = [];
}

/// <summary>A port of the hosts.</summary>
public sealed record ServiceEntryPort
{
    /// <summary>Number that clients use.</summary>
    [Must, RangeOf(0, 65535)] public int Number { get; init; }

    /// <summary>HTTP, HTTPS, HTTP2, GRPC, MONGO, TCP or TLS.</summary>
    public string? Protocol { get; init; }

    /// <summary>Name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Port of the endpoints; the number by default.</summary>
    [RangeOf(0, 65535)] public int? TargetPort { get; init; }
}
