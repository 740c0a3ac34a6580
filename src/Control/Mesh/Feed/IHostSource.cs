using System.Collections.Immutable;
using Weft.Api.Istio;

namespace Weft.Control.Mesh.Feed;

/// <summary>Hosts of the mesh that come from elsewhere than the cluster's objects.</summary>
public interface IHostSource
{
    /// <summary>As service entries; the same array where nothing has changed. One caller at a time.</summary>
    ImmutableArray<ServiceEntry> Read();

    /// <summary>Called on whichever thread brings the change.</summary>
    IDisposable Subscribe(Action changed);
}
