using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Api.FrontDoor;
using Weft.Api.Istio;
using Weft.Api.Schemas;
using Weft.ApiServer;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Usage;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Feed;
using Weft.Control.FrontDoor;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

/// <summary>The real API server with real access rules over a store in memory, all controllers as they run in a cluster, and no node.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    public const string Authority = "-----BEGIN CERTIFICATE-----\ntest\n-----END CERTIFICATE-----\n";

    private readonly MemoryStore _store;
    private readonly ApiServerHost _api;
    private readonly TestLog _log;

    private TestCluster(MemoryStore store, ApiServerHost api, TestLog log, TimeProvider time)
    {
        _store = store;
        _api = api;
        _log = log;
        Time = time;
        Client = Connect("tester", UserInfo.Masters);
    }

    public TimeProvider Time { get; }

    /// <summary>An administrator.</summary>
    public KubeClient Client { get; }

    public Controllers Controllers { get; private set; } = null!;

    /// <summary>What is compiled for the front door: a test's own.</summary>
    public FrontDoorBoard Door { get; } = new();

    /// <summary>Of the last write, by whomever.</summary>
    public long Revision => _store.Revision;

    /// <summary>Everything that the controllers complained about.</summary>
    public IReadOnlyList<string> Complaints => _log.Lines;

    /// <param name="controllersTime">The clock of the controllers alone; the server keeps real time.</param>
    /// <param name="usage">What metrics.k8s.io answers.</param>
    /// <param name="hasMeshKinds">Istio's kinds and the front door's policies are installed, as a cluster has them.</param>
    public static async Task<TestCluster> StartAsync(TimeProvider? controllersTime = null, Func<StoredObjects, ILiveResource>? usage = null, bool hasMeshKinds = false)
    {
        var time = TimeProvider.System;
        var log = new TestLog();
        var store = new MemoryStore(time);
        await BootstrapPolicy.ReconcileAsync(store, time, CancellationToken.None);
        var feed = new RbacFeed(store, log.CreateLogger<RbacFeed>());
        var authorizer = new RbacAuthorizer(feed);
        var schemas = new SchemaReader();
        var catalog = ResourceCatalog.Create(store, schemas, TimeProvider.System, log);
        var definitions = new CrdEstablisher(store, catalog.Current.All, time, log.CreateLogger<CrdEstablisher>());
        var api = new ApiServerHost(
            new ApiServerOptions { Store = store, Time = time, Random = Seeded.Random(1), Loggers = log },
            new ApiServerParts
            {
                Catalog = catalog,
                Authenticator = new InProcessAuthenticator(),
                Authorizer = authorizer,
                Paths = [new DiscoveryHandler(catalog)],
                Admission = [definitions],
                Preinstalled = hasMeshKinds ? [.. MeshKinds.All().Concat(WeftKinds.Preinstalled()).Select(kind => PreinstalledDefinition.Of(kind, schemas))] : [],
                Live = usage is null ? [] : [usage(new StoredObjects(store))],
                Loads = [feed.LoadAsync, catalog.LoadAsync],
                Loops = [feed.RunAsync, catalog.RunAsync, definitions.RunAsync],
            });
        await api.StartAsync(CancellationToken.None);
        var cluster = new TestCluster(store, api, log, controllersTime ?? time);
        await cluster.StartControllersAsync();
        return cluster;
    }

    /// <summary>All controllers end, in the middle of whatever they do, and others start.</summary>
    public async Task RestartControllersAsync()
    {
        await Controllers.DisposeAsync();
        await StartControllersAsync();
    }

    private async Task StartControllersAsync() => Controllers = await Eventually.EndsAsync(Controllers.StartAsync(
        HandlerOf, new ControllersOptions { CertificateAuthorityPem = Authority, LoadBalancerPool = "10.97.0.0/29", FrontDoor = Door }, Time, Seeded.Random(2), _log, CancellationToken.None));

    public KubeClient Connect(string user, params string[] groups) =>
        new(_api.CreateHandler(new UserInfo(user, [.. groups, UserInfo.AllAuthenticated])), TimeProvider.System, user);

    /// <summary>The mesh as it runs in a cluster, under its own rights.</summary>
    public async Task<MeshFeed> StartMeshAsync(ConfigHub hub, MeshFeedOptions? options = null) => await Eventually.EndsAsync(MeshFeed.StartAsync(
        Controllers.Informers, new KubeClient(HandlerOf(Controllers.IdentityOf(MeshFeed.Account)), Time, MeshFeed.Account), hub, options ?? new(), Time, Seeded.Random(3), _log, CancellationToken.None));

    public async ValueTask DisposeAsync()
    {
        await Controllers.DisposeAsync();
        Client.Dispose();
        await _api.DisposeAsync();
        await _store.DisposeAsync();
    }

    private HttpMessageHandler HandlerOf(string identity) =>
        _api.CreateHandler(new UserInfo(identity, [UserInfo.AllAuthenticated, "system:serviceaccounts", "system:serviceaccounts:kube-system"]));

    /// <summary>Keeps warnings and errors: a right that a controller lacks shows here, and nowhere else.</summary>
    private sealed class TestLog : ILoggerFactory
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyList<string> Lines => [.. _lines];

        public ILogger CreateLogger(string categoryName) => new Category(categoryName, _lines);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        private sealed class Category(string name, ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && name.StartsWith("Weft", StringComparison.Ordinal);

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (!IsEnabled(logLevel))
                    return;
                var line = $"{logLevel} {name}: {formatter(state, exception)} {exception}";
                lines.Enqueue(line);
                TestContext.Current.TestOutputHelper?.WriteLine(line);
            }
        }
    }
}
