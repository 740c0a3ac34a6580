using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Dns;
using Weft.Control.Discovery.Files;
using Weft.Control.Discovery.Http;
using Weft.Control.Discovery.Outputs;
using Weft.Control.Discovery.Registry;
using Weft.Control.Mesh.Feed;
using Weft.Proxy.Upstream.Discovery;
using Weft.Storage;

namespace Weft.Host.Server;

/// <summary>Discovery: the table of names, its sources, its HTTP API, and the zone `consul` of the proxies' DNS.</summary>
internal sealed partial class DiscoveryParts : IAsyncDisposable
{
    // Consul's port; when something else has it, the next one that is free.
    private const int FirstPort = 8500;
    private const int PortsTried = 100;

    // Whose rules count for the registry's hosts where a client's namespace has none: the mesh's root namespace.
    private const string MeshNamespace = "istio-system";

    private readonly Stack<IAsyncDisposable> _parts = new();

    private DiscoveryParts()
    {
    }

    internal int Port { get; private set; }

    /// <summary>The table's names as hosts of the mesh.</summary>
    internal IHostSource Hosts { get; private set; } = null!;

    /// <param name="maxWrites">How many operations one transaction of the store takes.</param>
    internal static async Task<DiscoveryParts> StartAsync(
        IStore store, int maxWrites, string token, ClusterSettings settings, string nodeName, IPAddress nodeAddress, Informers informers, ConfigHub hub, TimeProvider time, Random random, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var parts = new DiscoveryParts();
        try
        {
            await parts.StartAllAsync(store, maxWrites, token, settings, nodeName, nodeAddress, informers, hub, time, random, loggers, cancellationToken);
            return parts;
        }
        catch
        {
            await parts.DisposeAsync();
            throw;
        }
    }

    private async Task StartAllAsync(
        IStore store, int maxWrites, string token, ClusterSettings settings, string nodeName, IPAddress nodeAddress, Informers informers, ConfigHub hub, TimeProvider time, Random random, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger("Weft.Discovery");
        var registry = Keep(await ServiceRegistry.OpenAsync(
            new StoredRegistry(store, maxWrites), new RegistryOptions { NodeName = nodeName, NodeAddress = nodeAddress.ToString() }, time, logger, cancellationToken));
        Hosts = new RegistryHostSource(registry, MeshNamespace);
        var prober = new Prober(time);
        _parts.Push(new Later(prober));
        var checks = Keep(new CheckLoop(registry, prober, time, random, logger));
        Keep(await KubernetesNames.StartAsync(registry, informers, time, logger, cancellationToken));
        List<IPNetwork> networks = [IPNetwork.Parse(settings.PodCidr)];
        if (settings.ServicesFile is { } file)
            Keep(await ServicesFileLoop.StartAsync(registry, Keep(new DnsServices(registry, question => new NameResolver(question, time, asksServers: true).ResolveAsync, [.. networks, IPNetwork.Parse(settings.ServiceCidr)], time, random, logger)), file, time, logger, cancellationToken));
        _parts.Push(new Later(new RegistryNames(registry, hub, [settings.DnsAddress.ToString()])));

        var api = new ConsulApi(registry, checks, new RegistryAccess(token, networks), time, random, () => Port, logger);
        foreach (var port in Enumerable.Range(FirstPort, PortsTried).Prepend(settings.DiscoveryPort).Where(port => port > 0).Distinct())
        {
            if (await RegistryHttpServer.TryStartAsync(api, new IPEndPoint(IPAddress.Any, port), time, loggers, cancellationToken) is not { } server)
                continue;
            Keep(server);
            Port = server.Port;
            if (settings.DiscoveryPort != 0 && settings.DiscoveryPort != port)
                Log.Moved(logger, settings.DiscoveryPort, port);
            return;
        }

        throw new IOException($"no port from {FirstPort} to {FirstPort + PortsTried - 1} is free for the registry of services");
    }

    private T Keep<T>(T part) where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    /// <summary>Made at the first start, for its owner alone.</summary>
    internal static string Token(string path)
    {
        if (!File.Exists(path))
            // 160 bits: guessing is hopeless, so that wrong tries need no counting.
            AtomicFile.Write(path, Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(40, lowercase: true) + "\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var token = File.ReadAllText(path).Trim();
        return token.Length > 0 ? token : throw new InvalidDataException($"{path} is empty: remove it, and a new token is made at the next start");
    }

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
            await part.DisposeAsync();
    }

    private sealed class Later(IDisposable part) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            part.Dispose();
            return default;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "port {Wanted} is taken by another process: the registry of services is on port {Port} from now on")]
        public static partial void Moved(ILogger logger, int wanted, int port);
    }
}
