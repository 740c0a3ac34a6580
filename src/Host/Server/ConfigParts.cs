using Microsoft.Extensions.Logging;
using Weft.ApiServer.Http;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Names;

namespace Weft.Host.Server;

/// <summary>The configuration of the proxies: what is in it, and the path on which they follow it.</summary>
internal sealed class ConfigParts
{
    private readonly ConfigHub _hub;

    internal ConfigParts(TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken stopping)
    {
        _hub = new ConfigHub((ulong)random.NextInt64(1, long.MaxValue));
        var stream = new ConfigStream(_hub, time, loggers.CreateLogger<ConfigStream>());
        OnApiServer = new WebSocketPath(ConfigStream.Path, (user, socket, cancellationToken) => stream.ServeAsync(user.Name, socket, cancellationToken), stopping);
    }

    internal IPathHandler OnApiServer { get; }

    /// <summary>Complete when <see cref="StartAsync"/> has returned: what is to be in it from the first is published before.</summary>
    internal ConfigHub Hub => _hub;

    internal async Task<IDisposable> StartAsync(Informers informers, ClusterSettings settings, CancellationToken cancellationToken) =>
        await NamesFeed.StartAsync(informers, _hub, new NamesOptions("cluster.local", settings.DnsAddress.ToString(), [settings.ServiceCidr, settings.PodCidr]), cancellationToken);
}
