using Microsoft.Extensions.Logging;
using Weft.ApiServer;
using Weft.ApiServer.Certificates;
using Weft.Cli.Clusters;

namespace Weft.Host.Server;

/// <summary>What works through the API: controllers, scheduler, node agent. Stopped in the reverse order of their start.</summary>
internal sealed class ClusterParts : IAsyncDisposable
{
    internal string NodeName { get; } = Environment.MachineName.ToLowerInvariant();

    internal static Task<ClusterParts> StartAsync(
        ApiServerHost api, ClusterPki pki, ClusterSettings settings, ClusterPaths paths, LateStreams streams, TimeProvider time, Random random,
        ILoggerFactory loggers, CancellationToken cancellationToken) => Task.FromResult(new ClusterParts());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
