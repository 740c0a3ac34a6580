using System.Collections.Immutable;
using Weft.Api.Istio;
using Weft.Control.Discovery.Registry;
using Weft.Control.Mesh.Feed;

namespace Weft.Control.Discovery.Outputs;

/// <summary>The table of names as hosts of the mesh.</summary>
/// <param name="namespace">As of <see cref="RegistryHosts"/>.</param>
public sealed class RegistryHostSource(ServiceRegistry registry, string @namespace) : IHostSource
{
    private readonly RegistryHosts _hosts = new(@namespace);
    private ImmutableArray<ServiceEntry> _last = [];

    public ImmutableArray<ServiceEntry> Read()
    {
        var now = _hosts.Of(registry.Current);
        return _last = now.AsSpan().SequenceEqual(_last.AsSpan(), ReferenceEqualityComparer.Instance) ? _last : now;
    }

    public IDisposable Subscribe(Action changed) => registry.Subscribe(change =>
    {
        if (change.Names.Count > 0)
            changed();
    });
}
