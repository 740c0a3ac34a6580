using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Http;
using Weft.Control.Discovery.Registry;
using Weft.Host.Server;
using Weft.Storage;

namespace Weft.Discovery.Process;

/// <summary>The registry with its checks and its HTTP API on a loopback port.</summary>
public sealed class RegistryProcess : IAsyncDisposable
{
    public const string Node = "node-1";

    private readonly Prober _prober;
    private readonly RegistryHttpServer _server;

    private RegistryProcess(ServiceRegistry registry, CheckLoop checks, Prober prober, RegistryHttpServer server) => (Registry, Checks, _prober, _server) = (registry, checks, prober, server);

    public ServiceRegistry Registry { get; }

    public CheckLoop Checks { get; }

    public int Port => _server.Port;

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    public static async Task<RegistryProcess> StartAsync(IStore store, TimeProvider time, Random random, ILoggerFactory loggers, RegistryOptions? options = null, RegistryAccess? access = null)
    {
        var logger = loggers.CreateLogger("Weft.Discovery");
        var registry = await ServiceRegistry.OpenAsync(
            new StoredRegistry(store, new StoreOptions().MaxOperations), options ?? new RegistryOptions { NodeName = Node, NodeAddress = "10.0.0.1" }, time, logger, default);
        var prober = new Prober(time);
        var checks = new CheckLoop(registry, prober, time, random, logger);
        var port = 0;
        var api = new ConsulApi(registry, checks, access ?? new RegistryAccess(token: null, []), time, random, () => port, logger);
        var server = await RegistryHttpServer.TryStartAsync(api, new IPEndPoint(IPAddress.Loopback, 0), time, loggers, default) ?? throw new IOException("no port");
        port = server.Port;
        return new(registry, checks, prober, server);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await Checks.DisposeAsync();
        await Registry.DisposeAsync();
        _prober.Dispose();
    }
}
