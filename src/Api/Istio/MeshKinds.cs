using Weft.Api.ApiExtensions;
using Weft.Api.Linkerd;

namespace Weft.Api.Istio;

/// <summary>The kinds of the mesh, as the program installs their definitions: Istio's, with the columns that Istio shows, and the settings of old manifests.</summary>
public static class MeshKinds
{
    private static readonly PreinstalledColumn Age = new("Age", "date", ".metadata.creationTimestamp");

    /// <summary>Reads attributes: call it once at start and keep the answer.</summary>
    public static IReadOnlyList<PreinstalledKind> All() =>
    [
        .. IstioKinds.All().Select(kind => new PreinstalledKind(kind)
        {
            OlderVersions = kind.OlderVersions,
            Columns = Columns(kind.Kind.Kind),
            Warnings = kind.Kind.Kind switch { "VirtualService" => OldForms.OfVirtualService, "Policy" => _ => [OldForms.Policy], _ => _ => [] },
        }),
        PreinstalledKind.Of<ServiceMesh>() with
        {
            Columns = [new("Domain", "string", ".spec.config.service.discovery.dns.domain", "One more zone of the cluster's names."), Age],
            Warnings = _ => [OldForms.ServiceMesh],
        },
    ];

    private static IReadOnlyList<PreinstalledColumn> Columns(string kind) => kind switch
    {
        "VirtualService" => [new("Gateways", "string", ".spec.gateways", "Gateways that the rules are for."), new("Hosts", "string", ".spec.hosts", "Hosts that the rules are for."), Age, Programmed],
        "DestinationRule" => [new("Host", "string", ".spec.host", "The host that the rule is for."), Age, Programmed],
        "ServiceEntry" =>
        [
            new("Hosts", "string", ".spec.hosts", "The hosts."), new("Location", "string", ".spec.location", "Whether the endpoints are part of the mesh."),
            new("Resolution", "string", ".spec.resolution", "Where the endpoints' addresses come from."), Age, Programmed,
        ],
        "WorkloadEntry" => [Age, new("Address", "string", ".spec.address", "Address of the workload."), Programmed],
        "PeerAuthentication" => [new("Mode", "string", ".spec.mtls.mode", "How clients show who they are."), Age, Programmed],
        "AuthorizationPolicy" => [new("Action", "string", ".spec.action", "What is done to requests that match."), Age, Programmed],
        _ => [Age, Programmed],
    };

    // Istio has no such column: only with -o wide.
    private static PreinstalledColumn Programmed => new("Programmed", "string", ".status.conditions[?(@.type==\"Programmed\")].status", "Whether every proxy serves by it.", Priority: 1);
}
