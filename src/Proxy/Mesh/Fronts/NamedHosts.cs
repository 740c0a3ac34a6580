using System.Collections.Immutable;
using Weft.Proxy.Mesh.State;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>Hosts of a port by their names: exact, or `*.example` for all below.</summary>
internal readonly struct NamedHosts(ImmutableSortedDictionary<string, MeshHost> hosts)
{
    public MeshHost? Find(string? name)
    {
        if (name is null)
            return null;
        if (hosts.TryGetValue(name, out var exact))
            return exact;
        for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (hosts.TryGetValue("*" + name[dot..], out var below))
                return below;
        }

        return null;
    }
}
