using System.Collections.Immutable;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <param name="Port">Of the request; null: any.</param>
/// <param name="Gateways">`mesh` or `namespace/name`: whose clients it is for.</param>
internal sealed record HttpMatch(RouteMatch Match, int? Port, IReadOnlyList<string> Gateways);

/// <param name="Field">Of the destination.</param>
internal sealed record RouteTarget(Istio.Destination Destination, string Field, WeightedCluster Share);

internal sealed record MirrorTarget(Istio.Destination Destination, string Field, double Fraction);

/// <summary>A rule of a virtual service that is read, and not yet resolved for a host and its clients.</summary>
/// <param name="Owner">Whose names are resolved: of a delegate it is the delegate.</param>
/// <param name="Action">Of a <see cref="ForwardAction"/> all but clusters, hashing and mirrors.</param>
internal sealed record HttpRule(Istio.VirtualService Owner, string Name, ImmutableArray<HttpMatch> Matches, RouteAction Action, ValueList<FilterConfig> Filters)
{
    public ImmutableArray<RouteTarget> Targets { get; init; } = [];

    public ImmutableArray<MirrorTarget> Mirrors { get; init; } = [];

    /// <summary>In place of the path or of its matched prefix: what it means depends on the match.</summary>
    public string? RewriteUri { get; init; }
}
