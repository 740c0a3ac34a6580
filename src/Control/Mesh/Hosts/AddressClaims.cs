using System.Net;
using Weft.Api.Core;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Hosts;

/// <summary>
/// Whether objects that anybody may write in a namespace of theirs may have the addresses that they name. Who has an address is how callers are known and where traffic
/// goes: nobody gets what is a pod's or another namespace's by writing it down.
/// </summary>
internal static class AddressClaims
{
    private const string Allocated = "is of 240.240.0.0/16, from which the mesh gives addresses to hosts that have none; leave spec.addresses out, or use others";

    /// <summary>Why no endpoint and no workload outside the cluster, written down in the namespace, may have the address; null: it may.</summary>
    public static string? OfEndpoint(IPAddress address, string @namespace, MeshLookups lookups)
    {
        if (IsNoPlace(Plain(address)))
            return "is loopback, link-local, multicast or unspecified, which is another place on each machine; write an address that means the same everywhere";
        if (AllocatedAddresses.Contains(Plain(address)))
            return Allocated;
        if (lookups.WorkloadsAt(Key(address)).FirstOrDefault() is { } pod)
            return $"is that of Pod {pod.Namespace}/{pod.Name}; a pod is reached by its Service, or by labels with workloadSelector";
        // What listens there is a service, or the node itself, and the proxy connects from the node: whom that trusts by its address (the registry) would be asked by the node. The registry's own entries, of processes of
        // a machine, are the mesh's.
        return @namespace != lookups.Settings.RootNamespace && lookups.Settings.ClusterRanges.FirstOrDefault(own => IsWithin(address, IPNetwork.Parse(own))) is { } taken
            ? $"lies in {taken}, from which pods, services and nodes have their addresses; name the Service, or labels with workloadSelector" : null;
    }

    /// <summary>Why no host of a service entry in the namespace may have the address or range; null: it may.</summary>
    public static string? OfHost(string text, string @namespace, MeshLookups lookups)
    {
        if (Key(text) is not { } key)
            return null;
        if (Overlap(IPNetwork.TryParse(key, out var asked) ? asked : new IPNetwork(IPAddress.Parse(key), IPAddress.Parse(key).GetAddressBytes().Length * 8), AllocatedAddresses.Range))
            return Allocated;
        if (lookups.ServicesAt(key).FirstOrDefault(host => host.Namespace != @namespace) is { } other)
            return $"has the address of Service {other.Namespace}/{other.Source.Metadata.Name}; use others";
        if (lookups.WorkloadsAt(key).FirstOrDefault() is { } pod)
            return $"has the address of Pod {pod.Namespace}/{pod.Name}; use others";
        // Who gets an address there next is not known yet.
        return IPNetwork.TryParse(key, out var range) && lookups.Settings.ClusterRanges.FirstOrDefault(own => Overlap(range, IPNetwork.Parse(own))) is { } taken
            ? $"overlaps {taken}, from which pods and services get their addresses; use a range outside it" : null;
    }

    /// <summary>Those addresses of a host that it may have.</summary>
    public static IEnumerable<string> Allowed(MeshHost host, MeshLookups lookups)
        => host.Source is Service ? host.Addresses : host.Addresses.Where(address => OfHost(address, host.Namespace, lookups) is null);

    /// <summary>One text for all ways to write an address or a range; null: it is neither. A range of one address is that address.</summary>
    public static string? Key(string text)
    {
        if (IPAddress.TryParse(text, out var address))
            return Key(address);
        if (!IPNetwork.TryParse(text, out var written))
            return null;
        var range = Plain(written);
        return range.PrefixLength == range.BaseAddress.GetAddressBytes().Length * 8 ? Key(range.BaseAddress) : range.ToString();
    }

    private static string Key(IPAddress address) => Plain(address).ToString();

    // An IPv4 address in IPv6's clothes is the same place, and a zone is the machine's own.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new(address.GetAddressBytes());

    private static IPNetwork Plain(IPNetwork range)
        => range.BaseAddress.IsIPv4MappedToIPv6 && range.PrefixLength >= 96 ? new(range.BaseAddress.MapToIPv4(), range.PrefixLength - 96) : range;

    private static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);

    /// <summary>Whether the address means the same on every machine.</summary>
    public static bool IsAnywhere(IPAddress address) => !IsNoPlace(Plain(address));

    /// <summary>However the address is written.</summary>
    public static bool IsWithin(IPAddress address, IPNetwork range) => range.Contains(Plain(address));

    private static bool IsNoPlace(IPAddress address) => address.IsIPv6LinkLocal || address.IsIPv6Multicast || IPAddress.IsLoopback(address) || address.Equals(IPAddress.IPv6Any)
        // RFC 6890: "this network", link-local, multicast, broadcast.
        || address.GetAddressBytes() is [0, _, _, _] or [169, 254, _, _] or [>= 224 and < 240, _, _, _] or [255, 255, 255, 255];
}
