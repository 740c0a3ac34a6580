using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Istio;

namespace Weft.Control.Mesh.Feed;

/// <summary>Hosts of the mesh that come from elsewhere than the cluster's objects.</summary>
public interface IHostSource
{
    /// <summary>The uid of its entries. The API server gives one to each object itself, a number of its own: no entry that a user wrote has this one, whatever else it says.</summary>
    const string Uid = "host-source";

    /// <summary>Whether the entry is one of a source, and no object of the cluster's.</summary>
    static bool Made(IObject entry) => entry.Metadata.Uid == Uid;

    /// <summary>As service entries; the same array where nothing has changed. One caller at a time.</summary>
    ImmutableArray<ServiceEntry> Read();

    /// <summary>Called on whichever thread brings the change.</summary>
    IDisposable Subscribe(Action changed);
}
