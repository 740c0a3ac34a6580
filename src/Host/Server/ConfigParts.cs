using Microsoft.Extensions.Logging;
using Weft.ApiServer.Http;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.FrontDoor;
using Weft.Control.Mesh.Feed;
using Weft.Control.Names;

namespace Weft.Host.Server;

/// <summary>The configuration of the proxies: what is in it, and the path on which they follow it.</summary>
internal sealed class ConfigParts
{
    private const string Domain = "cluster.local";

    private readonly ConfigHub _hub;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;

    internal ConfigParts(TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken stopping)
    {
        (_time, _random, _loggers) = (time, random, loggers);
        _hub = new ConfigHub((ulong)random.NextInt64(1, long.MaxValue));
        var stream = new ConfigStream(_hub, time, loggers.CreateLogger<ConfigStream>());
        OnApiServer = new WebSocketPath(ConfigStream.Path, (user, socket, cancellationToken) => stream.ServeAsync(user.Name, socket, cancellationToken), stopping);
    }

    internal IPathHandler OnApiServer { get; }

    /// <summary>Complete when <see cref="StartAsync"/> has returned: what is to be in it from the first is published before.</summary>
    internal ConfigHub Hub => _hub;

    /// <summary>What is compiled for the front door.</summary>
    internal FrontDoorBoard Door { get; } = new();

    /// <summary>Which proxies serve by what.</summary>
    internal IPropagation Propagation => new Propagation(_hub, _time);

    /// <param name="connect">A way to the API server with the name of a controller.</param>
    internal async Task<IAsyncDisposable> StartAsync(Informers informers, Func<string, KubeClient> connect, IHostSource hosts, ClusterSettings settings, CancellationToken cancellationToken)
    {
        var names = await NamesFeed.StartAsync(informers, _hub, new NamesOptions(Domain, settings.DnsAddress.ToString(), [settings.ServiceCidr, settings.PodCidr]), cancellationToken);
        try
        {
            var client = connect(MeshFeed.Account);
            var mesh = await MeshFeed.StartAsync(informers, client, _hub, new() { Settings = new() { ClusterDomain = Domain, ClusterRanges = [settings.ServiceCidr, settings.PodCidr] }, Compiled = settings.Mesh ? Door.Publish : null, Hosts = hosts, IsOn = settings.Mesh }, _time, _random, _loggers, cancellationToken);
            // Names and mesh together: a proxy that is told the one without the other would forget it.
            _hub.MarkComplete();
            return new Running(names, mesh, client);
        }
        catch
        {
            names.Dispose();
            throw;
        }
    }

    private sealed record Running(NamesFeed Names, MeshFeed Mesh, KubeClient Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Mesh.DisposeAsync();
            Names.Dispose();
            Client.Dispose();
        }
    }
}
