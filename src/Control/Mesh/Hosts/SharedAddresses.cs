using System.Globalization;
using System.Net;
using Weft.Api.Core;
using Weft.Control.FrontDoor;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Hosts;

/// <summary>Addresses that services have for the outside: whose they are, for pods of the mesh as the nodes have it for everybody else.</summary>
internal static class SharedAddresses
{
    /// <summary>Those that the service may have: no places of a machine, nothing of the cluster's own ranges, and of the balancers' pool only what it was given.</summary>
    public static IEnumerable<string> Of(MeshHost host, MeshSettings settings)
    {
        if (host.Source is not Service service)
            return [];
        var given = service.Status.LoadBalancer?.Ingress.Select(entry => entry.Ip).OfType<string>().ToHashSet() ?? [];
        return host.Shared.Where(text => AddressClaims.IsAnywhere(IPAddress.Parse(text)) && !settings.ClusterRanges.Any(range => IsWithin(text, range))
            && (given.Contains(text) || settings.LoadBalancerPool is not { } pool || !IsWithin(text, pool)));
    }

    /// <summary>Of two that want the same the older one has it, and the front door goes before all others (Node's ServicePlanner says the same).</summary>
    public static string AgeOf(MeshHost host) => host.Source is not Service service || (service.Metadata is { Namespace: "istio-system", Name: FrontDoorPlanner.Name } && service.Metadata.Labels.ContainsKey(FrontDoorPlanner.Label))
        ? "" : service.Metadata.CreationTimestamp?.UtcDateTime.ToString("s", CultureInfo.InvariantCulture) ?? "";

    private static bool IsWithin(string address, string range) => IPNetwork.Parse(range).Contains(IPAddress.Parse(address));
}
