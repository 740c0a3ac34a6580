using System.Collections.Immutable;
using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Mesh.State;

/// <param name="Name">`web.shop.svc.cluster.local`.</param>
internal sealed record MeshHost(string Name, DestinationUnit Unit)
{
    public DestinationPort? Port(int port) => Unit.Ports.FirstOrDefault(one => one.Port == port);
}

/// <param name="Port">Of the host, as clients use it.</param>
internal readonly record struct DialledHost(string Name, int Port);

/// <param name="Key">`namespace/name`, or `entry/namespace/name`.</param>
internal sealed record MeshWorkload(string Key, WorkloadUnit Unit)
{
    private WorkloadLabels? _labels;

    public bool IsMeshed => Unit.Identity is not null;

    /// <summary>Something has to be asked of each connection, or request, that comes to it, or told of it.</summary>
    public bool HasRules => !Unit.Policies.IsEmpty || !Unit.Tokens.IsEmpty || Unit.Telemetry?.Server.Trace is not null;

    public string Name { get; } = Key[(Key.LastIndexOf('/') + 1)..];

    /// <summary>False: an entry, of a machine outside.</summary>
    public bool IsPod => Key.Length == Unit.Namespace.Length + 1 + Name.Length;

    public WorkloadLabels Labels => _labels ??= WorkloadNames.LabelsOf(Unit.Namespace, Name, Unit.Labels, Unit.Identity);

    public MutualTls ModeOf(int port)
    {
        foreach (var own in Unit.Ports)
        {
            if (own.Port == port)
                return own.Mode;
        }

        return Unit.MutualTls;
    }

    public bool Is(LocalWorkload local) => Name == local.Name && Unit.Namespace == local.Namespace && IsPod;
}

/// <summary>Whose an address is. Immutable; shared by all loops.</summary>
internal sealed record MeshView
{
    public static readonly MeshView Empty = new();

    public ImmutableDictionary<IPAddress, MeshHost> Hosts { get; init; } = ImmutableDictionary<IPAddress, MeshHost>.Empty;

    /// <summary>Ports of addresses that hosts share, the first by name first.</summary>
    public ImmutableDictionary<IPEndPoint, ImmutableSortedDictionary<string, MeshHost>> Shared { get; init; } = ImmutableDictionary<IPEndPoint, ImmutableSortedDictionary<string, MeshHost>>.Empty;

    /// <summary>The narrowest first.</summary>
    public ImmutableArray<(IPNetwork Range, MeshHost Host)> Ranges { get; init; } = [];

    /// <summary>Several where pods share an address, or a new one has that of one that is not gone everywhere yet.</summary>
    public ImmutableDictionary<IPAddress, ImmutableArray<MeshWorkload>> Workloads { get; init; } = ImmutableDictionary<IPAddress, ImmutableArray<MeshWorkload>>.Empty;

    /// <summary>Endpoints of hosts whose names stand for them; the first by name first.</summary>
    public ImmutableDictionary<IPEndPoint, ImmutableArray<DialledHost>> Dialled { get; init; } = ImmutableDictionary<IPEndPoint, ImmutableArray<DialledHost>>.Empty;

    /// <summary>Ports of hosts that have no address of their own: they are found by the name that the client says.</summary>
    public ImmutableDictionary<int, ImmutableSortedDictionary<string, MeshHost>> Named { get; init; } = ImmutableDictionary<int, ImmutableSortedDictionary<string, MeshHost>>.Empty;

    /// <summary>Hosts that not all namespaces may name as servers of their policies, and those whose endpoints are their author's word.</summary>
    public ImmutableDictionary<string, DestinationUnit> Kept { get; init; } = ImmutableDictionary<string, DestinationUnit>.Empty;

    /// <summary>How many workloads may only call hosts that the mesh knows.</summary>
    public int Restricted { get; init; }

    /// <summary>
    /// Headless services that have the endpoint. Where a pod is there, those of its namespace: what slices of others say of its address changes nothing for those who dial it. Empty: none.
    /// </summary>
    public ImmutableArray<DialledHost> DialledAt(IPEndPoint endpoint)
    {
        if (!Dialled.TryGetValue(endpoint, out var all))
            return [];
        if (!Workloads.TryGetValue(endpoint.Address, out var owners) || !owners.Any(owner => owner.IsPod))
            return all;
        return all.RemoveAll(host => host.Name.Split('.', 3) is not [_, var @namespace, _] || !owners.Any(owner => owner.Unit.Namespace == @namespace));
    }

    /// <summary>Who has exactly the address comes first: a range never takes what goes to a pod that is known.</summary>
    public MeshHost? HostOf(IPEndPoint meant)
    {
        var address = meant.Address;
        if (Hosts.TryGetValue(address, out var host))
            return host;
        if (Workloads.TryGetValue(address, out var workloads) && workloads.Any(workload => workload.IsPod))
            return null;
        if (!Shared.IsEmpty && Shared.TryGetValue(meant, out var sharing))
            return sharing.Values.First();
        foreach (var (range, owner) in Ranges)
        {
            if (range.Contains(address))
                return owner;
        }

        return null;
    }

    /// <param name="local">Who has the address on this node, if somebody has: that is the newest of all.</param>
    /// <returns>Null: nobody, or it cannot be said who of several.</returns>
    public MeshWorkload? WorkloadOf(IPAddress address, LocalWorkload? local)
    {
        if (!Workloads.TryGetValue(address, out var owners))
            return null;
        // Asked for each request, so nothing is allocated.
        MeshWorkload? found = null;
        foreach (var owner in owners)
        {
            if (local is not null ? !owner.Is(local) : !owner.IsMeshed)
                continue;
            if (found is not null)
                return null;
            found = owner;
        }

        return found ?? (local is null ? owners[0] : null);
    }
}
