using Weft.Api.Istio;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Addresses;

/// <summary>What nodes answer clients of the mesh that ask for the name of a service entry's host: its addresses, or the one that it was given.</summary>
internal static class HostAnswers
{
    /// <summary>Null: nothing.</summary>
    public static HostAnswer? Of(MeshHost host, MeshLookups lookups)
    {
        if (host.Source is not ServiceEntry || HostNames.IsWildcard(host.Name) || HostAddresses.IsElsewhere(host.Name, lookups.Settings.ClusterDomain))
            return null;
        // A range is no answer.
        ValueList<string> addresses = host.Allocated is { } given ? [given] : AddressClaims.Allowed(host, lookups).Where(address => !address.Contains('/')).ToValueList();
        var namespaces = HostNames.Shown(host.ExportTo, host.Namespace);
        return addresses.IsEmpty || namespaces.IsEmpty ? null : new() { Addresses = addresses, Allocated = host.Allocated is not null, Namespaces = namespaces.Contains("*") ? [] : namespaces };
    }
}
