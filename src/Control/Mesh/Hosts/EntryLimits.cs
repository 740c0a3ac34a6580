using Weft.Api.Istio;
using Weft.Control.Mesh.Feed;

namespace Weft.Control.Mesh.Hosts;

/// <summary>
/// How much one service entry may have every node's proxy hold. Each host has each port, and each of these has each endpoint: bounds of the lists alone would still let one object of some 100 kB be millions of
/// endpoints. What is beyond is left out, and said.
/// </summary>
internal static class EntryLimits
{
    /// <summary>Hosts times ports: each is a cluster and a table of routes.</summary>
    public const int Pairs = 4096;

    /// <summary>And times endpoints.</summary>
    public const int Places = 65_536;

    public static int HostsOf(ServiceEntrySpec spec) => Math.Min(spec.Hosts.Count, ServiceEntrySpec.MostHosts);

    public static int PortsOf(ServiceEntrySpec spec) => Math.Min(spec.Ports.Count, Math.Min(ServiceEntrySpec.MostPorts, Pairs / Math.Max(1, HostsOf(spec))));

    /// <summary>Endpoints that each port of each host may have. The list of those that are written down has a bound of its own.</summary>
    public static int EndpointsOf(ServiceEntry entry) => Math.Min(Places / Math.Max(1, HostsOf(entry.Spec) * PortsOf(entry.Spec)), entry.Spec.WorkloadSelector is null ? WrittenOf(entry) : Places);

    /// <summary>Endpoints that are written down. Those of a name of the registry are instances, which are bounded where they come from.</summary>
    public static int WrittenOf(ServiceEntry entry) => IHostSource.Made(entry) ? Places : ServiceEntrySpec.MostEndpoints;
}
