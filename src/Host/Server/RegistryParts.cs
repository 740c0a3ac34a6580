using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;
using Weft.Cli.Clusters;
using Weft.Registry;
using Weft.Registry.Access;
using Weft.Registry.Http;
using Weft.Registry.Pause;

namespace Weft.Host.Server;

/// <summary>The cluster's image registry: on a loopback port for the people and the node of this machine, below `/v2/` of the API server for other nodes.</summary>
internal sealed partial class RegistryParts : IAsyncDisposable
{
    // Docker's habit; when something else has it, the next one that is free.
    private const int FirstPort = 5000;
    private const int PortsTried = 100;

    private readonly ImageRegistry _registry;
    private readonly RegistryServer _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _housekeeping;

    private RegistryParts(ImageRegistry registry, RegistryServer server)
    {
        (_registry, _server) = (registry, server);
        _housekeeping = registry.RunAsync(_stopping.Token);
    }

    /// <summary>What the API server serves of it.</summary>
    internal sealed record Mount(IPathHandler Paths, IAuthorizer Rights);

    internal required Mount OnApiServer { get; init; }

    internal int Port => _server.Port;

    internal static async Task<RegistryParts> StartAsync(
        ClusterPaths paths, ClusterSettings settings, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger("Weft.Registry");
        var access = new RegistryAccess(PushPassword.LoadOrCreate(paths.RegistryPassword), time);
        foreach (var port in Ports(settings.RegistryPort))
        {
            var registry = new ImageRegistry(
                new RegistryOptions(paths.Registry) { OwnHosts = [$"127.0.0.1:{port}", $"localhost:{port}"] }, time, loggers.CreateLogger<ImageRegistry>());
            var endpoint = new RegistryEndpoint(registry, access, loggers.CreateLogger<RegistryEndpoint>());
            await PauseImage.InstallAsync(registry, cancellationToken);
            if (await RegistryServer.TryStartAsync(endpoint, new IPEndPoint(IPAddress.Loopback, port), time, loggers, cancellationToken) is { } server)
            {
                if (settings.RegistryPort != 0 && settings.RegistryPort != port)
                    Log.Moved(logger, settings.RegistryPort, port);
                return new RegistryParts(registry, server) { OnApiServer = new(new Paths(endpoint), new NodesPull()) };
            }

            await registry.DisposeAsync();
        }

        throw new IOException($"no port from {FirstPort} to {FirstPort + PortsTried - 1} is free for the image registry");
    }

    // The cluster's own first: names like 127.0.0.1:5000/x stand in manifests.
    private static IEnumerable<int> Ports(int known) => Enumerable.Range(FirstPort, PortsTried).Prepend(known).Where(port => port > 0).Distinct();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _stopping.CancelAsync();
        await _housekeeping;
        await _registry.DisposeAsync();
        _stopping.Dispose();
    }

    private sealed class Paths(RegistryEndpoint endpoint) : IPathHandler
    {
        public bool Matches(RequestInfo request) => request.Path == "/v2" || request.Path.StartsWith("/v2/", StringComparison.Ordinal);

        public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken) => endpoint.HandleAsync(context, RegistryRights.Pull);
    }

    /// <summary>Node agents pull. Nobody pushes here: what all nodes run is for the machine's administrator to choose.</summary>
    private sealed class NodesPull : IAuthorizer
    {
        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken) =>
            new(new AccessDecision(
                !attributes.IsResource && attributes.Verb is "get" or "head" && (attributes.Path == "/v2" || attributes.Path.StartsWith("/v2/", StringComparison.Ordinal))
                    && attributes.User.Groups.Contains("system:nodes"),
                ""));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "port {Wanted} is taken by another process: images are pushed to 127.0.0.1:{Port} from now on")]
        public static partial void Moved(ILogger logger, int wanted, int port);
    }
}
