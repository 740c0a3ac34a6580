using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.ApiServer.Http;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.FrontDoor;
using Weft.Control.Mesh.Feed;
using Weft.Control.Names;
using Weft.Control.Withdrawals;

namespace Weft.Host.Server;

/// <summary>The configuration of the proxies: what is in it, and the path on which they follow it.</summary>
internal sealed class ConfigParts
{
    private const string Domain = "cluster.local";

    private readonly ConfigHub _hub;
    private readonly TaskCompletionSource<PodWithdrawals> _withdrawals = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;

    internal ConfigParts(TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken stopping)
    {
        (_time, _random, _loggers) = (time, random, loggers);
        _hub = new ConfigHub((ulong)random.NextInt64(1, long.MaxValue));
        var stream = new ConfigStream(_hub, time, loggers.CreateLogger<ConfigStream>());
        OnApiServer =
        [
            new WebSocketPath(ConfigStream.Path, (user, socket, cancellationToken) => stream.ServeAsync(user.Name, socket, cancellationToken), stopping),
            new WithdrawalPath(WithdrawnAsync),
        ];
    }

    internal IReadOnlyList<IPathHandler> OnApiServer { get; }

    /// <summary>Complete when <see cref="StartAsync"/> has returned: what is to be in it from the first is published before.</summary>
    internal ConfigHub Hub => _hub;

    /// <summary>What is compiled for the front door.</summary>
    internal FrontDoorBoard Door { get; } = new();

    /// <summary>Which proxies serve by what.</summary>
    internal IPropagation Propagation => new Propagation(_hub, _time);

    /// <param name="loadBalancerPool">Range of the balancers' addresses.</param>
    /// <param name="connect">A way to the API server with the name of a controller.</param>
    internal async Task<IAsyncDisposable> StartAsync(Informers informers, Func<string, KubeClient> connect, IHostSource hosts, ClusterSettings settings, string? loadBalancerPool, CancellationToken cancellationToken)
    {
        var names = await NamesFeed.StartAsync(informers, _hub, new NamesOptions(Domain, settings.DnsAddress.ToString(), [settings.ServiceCidr, settings.PodCidr]), cancellationToken);
        try
        {
            var client = connect(MeshFeed.Account);
            var mesh = await MeshFeed.StartAsync(informers, client, _hub, new() { Settings = new() { ClusterDomain = Domain, ClusterRanges = [settings.ServiceCidr, settings.PodCidr], LoadBalancerPool = loadBalancerPool }, Compiled = settings.Mesh ? Door.Publish : null, Hosts = hosts, IsOn = settings.Mesh }, _time, _random, _loggers, cancellationToken);
            var withdrawals = new PodWithdrawals(informers.Cache<Pod>(), informers.Cache<EndpointSlice>(), mesh.CompiledAsync, Propagation, _time);
            _withdrawals.TrySetResult(withdrawals);
            // Names and mesh together: a proxy that is told the one without the other would forget it.
            _hub.MarkComplete();
            return new Running(names, mesh, withdrawals, client);
        }
        catch
        {
            names.Dispose();
            throw;
        }
    }

    private async Task<bool> WithdrawnAsync(string @namespace, string pod, string uid, TimeSpan patience, CancellationToken cancellationToken)
    {
        var deadline = _time.GetUtcNow() + patience;
        try
        {
            // While the server starts nothing is known yet.
            var withdrawals = await _withdrawals.Task.WaitAsync(patience, _time, cancellationToken);
            return await withdrawals.WaitAsync(new ObjectKey(@namespace, pod), uid, deadline, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private sealed record Running(NamesFeed Names, MeshFeed Mesh, PodWithdrawals Withdrawals, KubeClient Client) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Withdrawals.Dispose();
            await Mesh.DisposeAsync();
            Names.Dispose();
            Client.Dispose();
        }
    }
}
