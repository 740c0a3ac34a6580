using Weft.Cli.Clusters;

namespace Weft.Host.Server;

internal static class NodeParts
{
    internal static Task<IReadOnlyList<string>> CleanAsync(ClusterPaths paths, ClusterSettings? settings, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([]);
}
