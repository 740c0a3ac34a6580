using Weft.Api.ApiExtensions;

namespace Weft.Api.GatewayApi;

/// <summary>The kinds of the Gateway API, served as custom resources as Istio's are. No part of this program acts on them yet: a controller that someone runs here may.</summary>
public static class GatewayKinds
{
    public const string Group = Names.Group;

    public static IReadOnlyList<Type> Types { get; } =
    [
        typeof(GatewayClass), typeof(Gateway), typeof(HTTPRoute), typeof(GRPCRoute), typeof(TLSRoute), typeof(TCPRoute), typeof(UDPRoute),
        typeof(ReferenceGrant), typeof(BackendTLSPolicy),
    ];

    private static readonly PreinstalledColumn Age = new("Age", "date", ".metadata.creationTimestamp");

    /// <summary>Reads attributes: call it once at start and keep the answer.</summary>
    public static IReadOnlyList<PreinstalledKind> Preinstalled() =>
    [
        .. Types.Select(KindInfo.Of).Select(kind => new PreinstalledKind(kind)
        {
            OlderVersions = kind.OlderVersions,
            // The group is one of Kubernetes', and these schemas are not the ones that were reviewed there.
            Annotations = new Dictionary<string, string> { ["api-approved.kubernetes.io"] = "unapproved, written for this program after the specification" },
            Columns = Columns(kind.Kind.Kind),
        }),
    ];

    private static IReadOnlyList<PreinstalledColumn> Columns(string kind) => kind switch
    {
        "GatewayClass" =>
        [
            new("Controller", "string", ".spec.controllerName", "Who serves the class."),
            new("Accepted", "string", ".status.conditions[?(@.type==\"Accepted\")].status", "Whether the controller has taken it."), Age,
            new("Description", "string", ".spec.description", "For people.", Priority: 1),
        ],
        "Gateway" =>
        [
            new("Class", "string", ".spec.gatewayClassName", "Whose it is."), new("Address", "string", ".status.addresses[*].value", "Where it is reached."),
            new("Programmed", "string", ".status.conditions[?(@.type==\"Programmed\")].status", "Whether it is served."), Age,
        ],
        "HTTPRoute" or "GRPCRoute" => [new("Hostnames", "string", ".spec.hostnames", "Hosts of the requests."), Age],
        _ => [Age],
    };
}
