using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

/// <param name="Hash">What keeps requests together at this destination.</param>
internal sealed record Resolved(string Cluster, ValueList<HashPolicy> Hash);

/// <summary>From a destination of a rule to a cluster, as the clients of one namespace see it.</summary>
/// <param name="client">Null: clients without rules of their own.</param>
/// <param name="requestPort">Port that requests come to: that of a destination with several, which names none.</param>
/// <param name="requested">Host that requests come to; null: several.</param>
internal sealed class TargetResolver(MeshLookups lookups, List<MeshDiagnostic> diagnostics, string? client, int requestPort, MeshHost? requested = null)
{
    private static readonly Resolved Unknown = new(ClusterNames.Unknown, []);

    /// <param name="isCopy">Of a request that goes elsewhere: of a headless service any endpoint gets it.</param>
    public Resolved Resolve(Istio.VirtualService owner, Istio.Destination destination, string field, bool isCopy = false)
    {
        var problems = Problems.Of(owner, diagnostics);
        var @namespace = owner.Metadata.Namespace ?? "";
        if (destination.Host.Length == 0)
            return Refuse(problems, $"{field}.host", "is missing; name a service");
        var name = HostNames.Whole(destination.Host, @namespace, lookups.Settings.ClusterDomain);
        if (lookups.Host(name) is not { } host || !HostNames.IsExported(host.ExportTo, host.Namespace, @namespace))
            return Refuse(problems, $"{field}.host", $"there is no host '{name}'; create the Service or a ServiceEntry, or write its whole name");
        if (PortOf(host, destination) is not { } port)
        {
            return Refuse(problems, $"{field}.port", destination.Port?.Number is { } wrong
                ? $"host '{name}' has no port {wrong}; it has {Ports(host)}" : $"host '{name}' has several ports; say which of {Ports(host)}");
        }

        var rules = RuleChoice.Of(host, client, lookups);
        if (destination.Subset is { Length: > 0 } subset && rules.Subset(subset) is null)
        {
            return Refuse(problems, $"{field}.subset", rules.First is null
                ? $"there is no DestinationRule for '{name}' that has a subset '{subset}'; create one"
                : $"DestinationRule {MeshIndex.Name(rules.First)} has no subset '{subset}'; it has {Listing.Of(rules.Subsets.Select(entry => entry.Subset.Name).DefaultIfEmpty("none"))}");
        }

        var policy = EffectivePolicy.Of(host, rules, port, destination.Subset);
        if (string.IsNullOrEmpty(destination.Subset) && !isCopy)
            return Self(host, port);
        return new(ClusterNames.Of(host, port, string.IsNullOrEmpty(destination.Subset) ? null : destination.Subset, rules.Variant), BalancerReader.HashOf(policy.LoadBalancer.Value));
    }

    /// <summary>The host itself, where no rule sends elsewhere.</summary>
    public Resolved Self(MeshHost host, int port)
    {
        var rules = RuleChoice.Of(host, client, lookups);
        // Whom a client of a headless service has dialled is whom it means.
        if (host.IsHeadless && host == requested && port == requestPort)
            return new(ClusterNames.Dialled(host, port, rules.Variant), []);
        return new(ClusterNames.Of(host, port, null, rules.Variant), BalancerReader.HashOf(EffectivePolicy.Of(host, rules, port, null).LoadBalancer.Value));
    }

    private int? PortOf(MeshHost host, Istio.Destination destination) => destination.Port?.Number is > 0 and var given
        ? host.Port(given)?.Number
        : host.Ports.Length == 1 ? host.Ports[0].Number : host.Port(requestPort)?.Number;

    private static string Ports(MeshHost host) => Listing.Of(host.Ports.Select(port => $"{port.Number}").DefaultIfEmpty("none"));

    private static Resolved Refuse(Problems problems, string field, string message)
    {
        problems.Error(field, message);
        return Unknown;
    }
}
