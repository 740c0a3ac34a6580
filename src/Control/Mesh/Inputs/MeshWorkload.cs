using Weft.Api.Core;
using Weft.Balancing;
using Weft.Control.Networking;
using Weft.Control.Runtime;
using Weft.Control.Workloads;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What the mesh needs of a pod. Equal by value: a pod's status changes often, this seldom.</summary>
public sealed record MeshWorkload
{
    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    public ValueList<string> Addresses { get; init; } = [];

    public ValueMap Labels { get; init; }

    public string ServiceAccount { get; init; } = "default";

    public string? Node { get; init; }

    public Locality Locality { get; init; }

    /// <summary>Its traffic is captured, and it has an identity.</summary>
    public bool Meshed { get; init; } = true;

    /// <summary>Takes requests. Of a service's pods their slices say it; of those that a service entry selects, only this does.</summary>
    public bool IsReady { get; init; } = true;

    /// <summary>Null for a pod without an address of its own, or one that has ended: its address may be another's by now.</summary>
    /// <param name="locality">Of its node.</param>
    public static MeshWorkload? Of(Pod pod, Locality locality, bool meshed)
    {
        var addresses = EndpointPods.Addresses(pod).ToValueList();
        return addresses.IsEmpty || pod.IsFinished() || pod.Spec.HostNetwork == true ? null : new()
        {
            Namespace = pod.Metadata.Namespace ?? "", Name = pod.Metadata.Name ?? "", Addresses = addresses, Labels = new ValueMap(pod.Metadata.Labels),
            ServiceAccount = string.IsNullOrEmpty(pod.Spec.ServiceAccountName) ? "default" : pod.Spec.ServiceAccountName,
            Node = pod.Spec.NodeName, Locality = locality, Meshed = meshed, IsReady = pod.IsReady() && !pod.IsTerminating(),
        };
    }

    /// <summary>SPIFFE ID; null outside the mesh.</summary>
    public string? IdentityIn(string trustDomain) => Meshed ? $"spiffe://{trustDomain}/ns/{Namespace}/sa/{ServiceAccount}" : null;
}
