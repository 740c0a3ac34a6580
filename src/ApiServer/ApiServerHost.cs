using System.Net;
using System.Net.Http;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Http;
using Weft.ApiServer.Quotas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Registry.Services;
using Weft.ApiServer.Subresources;
using Weft.ApiServer.Usage;
using Weft.ApiServer.Verbs;
using Weft.ApiServer.Watch;
using Weft.ApiServer.Webhooks;

namespace Weft.ApiServer;

/// <summary>A running API server: Kestrel in front of the pipeline, and the same pipeline for callers in this process.</summary>
public sealed class ApiServerHost : IAsyncDisposable
{
    // How long requests may take to finish at a stop; watches end at once.
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    private readonly ApiServerOptions _options;
    private readonly ApiServerParts _parts;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ApiPipeline _pipeline;
    private readonly StartObjects _start;
    private readonly StartDefinitions _definitions;
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _loops = [];
    private Task[] _running = [];
    private WebApplication? _web;

    public ApiServerHost(ApiServerOptions options, ApiServerParts parts)
    {
        _options = options;
        _parts = parts;
        (_pipeline, _start, _definitions) = Compose(options, parts, new HealthCheck("loops", LoopProblem), _stopping.Token);
    }

    /// <summary>Where the server listens; valid after <see cref="StartAsync"/>.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Completes, with what happened, when one of the loops has ended by itself: the server decides by old roles or old kinds from then on and must be started again.</summary>
    public Task<Exception> Failed => _failed.Task;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Beside each other: the definitions of a new cluster are work for a processor, all else waits for the disk.
        var installing = Task.Run(() => _definitions.InstallAsync(_parts.Preinstalled, cancellationToken), cancellationToken);
        await Task.WhenAll(installing, LoadAsync(cancellationToken));
        await _definitions.ServedAsync(await installing, cancellationToken);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_options.Loggers);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _web = builder.Build();
        // The server alone, without the web host around it: the pipeline has its own metrics, log and errors.
        var server = _web.Services.GetRequiredService<IServer>();
        await server.StartAsync(new PipelineApplication(_pipeline), cancellationToken);
        Address = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var advertised = _options.AdvertiseAddress is { } address ? new IPEndPoint(address, Address.Port) : null;
        await _start.CreateServiceAsync(AddressRange.Parse(_options.ServiceCidr), advertised, cancellationToken);
    }

    /// <summary>A handler for an HttpClient in this process. Requests through it are <paramref name="user"/>'s and pass every stage but the socket.</summary>
    public HttpMessageHandler CreateHandler(UserInfo user) => new InProcessHandler(_pipeline, user, _stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_web is not null)
        {
            using var grace = new CancellationTokenSource(StopGrace, _options.Time);
            await _web.Services.GetRequiredService<IServer>().StopAsync(grace.Token);
            await _web.DisposeAsync();
        }

        // How a loop ended is for /livez to say; here it only matters that it has.
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (var load in _parts.Loads)
            await load(cancellationToken);
        foreach (var loop in _parts.Loops)
            _loops.Add(Task.Run(() => RunLoopAsync(loop), CancellationToken.None));
        Volatile.Write(ref _running, [.. _loops]);
        await _start.CreateBasicsAsync(cancellationToken);
    }

    private async Task RunLoopAsync(Func<CancellationToken, Task> loop)
    {
        try
        {
            await loop(_stopping.Token);
            if (!_stopping.IsCancellationRequested)
                throw new InvalidOperationException("it has ended");
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            _failed.TrySetResult(new InvalidOperationException($"the loop of {loop.Method.DeclaringType?.FullName} failed: {e.Message}", e));
            throw;
        }
    }

    // A loop that follows the store and has ended would leave the server deciding by old roles or old kinds: the supervisor must start it again.
    private string? LoopProblem()
    {
        foreach (var loop in Volatile.Read(ref _running))
        {
            if (loop.IsCompleted && !_stopping.IsCancellationRequested)
                return loop.Exception?.GetBaseException().Message ?? "a loop was cancelled";
        }
        return null;
    }

    private static (ApiPipeline Pipeline, StartObjects Start, StartDefinitions Definitions) Compose(
        ApiServerOptions options, ApiServerParts parts, HealthCheck loops, CancellationToken stopping)
    {
        var (store, time) = (options.Store, options.Time);
        var metrics = new Metrics(store);
        var names = new ObjectNames(options.Random);
        var objects = new StoredObjects(store);
        var admission = new AdmissionChain(
        [
            new NamespaceLifecycle(objects),
            new ServiceAccountAdmission(objects, names, time),
            new DefaultTolerations(options.LostNodeTolerationSeconds),
            new PriorityAdmission(objects),
            new StorageAdmission(objects),
            new RuntimeClassAdmission(objects, parts.Authorizer),
            new LimitRangeAdmission(objects),
            .. parts.Admission,
            // Last: what users added sees what will be stored.
            new PolicyAdmission(objects, parts.Catalog, options.Loggers.CreateLogger<PolicyAdmission>()),
        ],
        new WebhookAdmission(objects, parts.Catalog, new WebhookCaller(objects, options.PodConnector, time), options.Loggers.CreateLogger<WebhookAdmission>()));
        var reader = new ObjectReader(store);
        IReadOnlyList<IClaims> claims =
        [
            new ServiceAddresses(store, AddressRange.Parse(options.ServiceCidr), options.Random),
            new NodePorts(store, options.NodePorts.First, options.NodePorts.Last, options.Random),
        ];
        var writer = new ObjectWriter(store, admission, names, claims, new QuotaLedger(store, parts.Catalog));
        var deleter = new ObjectDeleter(store, writer, admission);

        var write = new WriteVerbs(writer, deleter, time);
        var get = new GetVerb(reader, write);
        var patch = new PatchVerb(reader, writer, write);
        var virtuals = new VirtualVerb(parts.Virtuals, reader);
        var verbs = new ResourceVerbs(
            get, new ListVerb(reader, time), new WatchVerb(reader, parts.Catalog, time, options.Random, metrics, stopping), write, patch,
            new DeleteCollectionVerb(reader, deleter, write), virtuals, new LiveVerb(parts.Live, reader, time));
        IReadOnlyList<ISubresource> own =
        [
            new StatusSubresource(get, write, patch),
            new ScaleSubresource(reader, writer, write),
            new BindingSubresource(writer, write),
            new FinalizeSubresource(write),
            new EphemeralContainersSubresource(get, write, patch),
            new EvictionSubresource(deleter, writer, objects, parts.Catalog, write),
            new LogSubresource(reader, options.PodStreams, time),
            new MetricSubresource(parts.Requests),
        ];
        var authorizer = new RequestAuthorizer(parts.Authorizer);
        var subresources = new SubresourceVerbs(own, virtuals, parts.Connects, reader, authorizer);

        IReadOnlyList<IPathHandler> paths = [new HealthPaths([loops, .. parts.Checks]), new VersionPath(), new MetricsPath(metrics), .. parts.Paths];
        var dispatcher = new Dispatcher(parts.Catalog, paths, verbs, subresources);
        var logger = options.Loggers.CreateLogger("Weft.ApiServer");
        var pipeline = new ApiPipeline(parts.Authenticator, authorizer, dispatcher, names, metrics, new InFlight(options.MaxReadsInFlight, options.MaxWritesInFlight), time, logger);
        return (pipeline, new StartObjects(parts.Catalog, reader, writer, time, logger), new StartDefinitions(store, parts.Catalog, writer, names, time, logger));
    }

    private sealed class PipelineApplication(ApiPipeline pipeline) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            ReusedStreams.Clear(contextFeatures);
            return new DefaultHttpContext(contextFeatures);
        }

        public Task ProcessRequestAsync(HttpContext context) => pipeline.HandleAsync(context);
        public void DisposeContext(HttpContext context, Exception? exception) { }
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null; // the body reader counts, and answers with a Status
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000; // kube-apiserver's --http2-max-streams-per-connection: client-go puts all watches on one connection
        kestrel.Limits.MinResponseDataRate = null; // a watch may be silent for minutes, and one that is not read ends by its own rule
        kestrel.Listen(_options.Listen, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            if (_options.ServerCertificate is not null || _options.ServerCertificateSource is not null)
            {
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificateSelector = (_, _) => _options.ServerCertificateSource?.Invoke() ?? _options.ServerCertificate,
                    SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateMode = ClientCertificateMode.AllowCertificate,
                    // Which authority signed it is the authenticator's question: it answers 401, where a failed handshake would say nothing.
                    ClientCertificateValidation = static (_, _, _) => true,
                });
            }
        });
    }
}
