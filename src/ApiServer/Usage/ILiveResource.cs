using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.ApiServer.Usage;

/// <summary>A resource whose objects are measured when somebody asks: get and list, nothing is stored.</summary>
public interface ILiveResource
{
    bool Serves(GroupVersionResource resource);

    /// <summary>All objects, or those of one namespace, by namespace and name.</summary>
    /// <param name="ns">Empty: everywhere.</param>
    ValueTask<IReadOnlyList<JsonObject>> ListAsync(GroupVersionResource resource, string ns, CancellationToken cancellationToken);
}
