using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Feed;

/// <summary>What holds for the whole mesh, by the ConfigMap where Istio's users look for it: `istio` in the root namespace, entry `mesh`. One that cannot be read changes nothing.</summary>
internal sealed partial class MeshConfigFeed : IAsyncDisposable
{
    private const string Name = "istio", Entry = "mesh";
    private readonly MeshSettings _usual;
    private readonly Informer<ConfigMap> _informer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _subscription;
    private readonly Task _running;
    private readonly ILogger _logger;
    private string? _text;
    private MeshSettings _settings;

    /// <param name="changed">Called at each change, on whichever thread.</param>
    public MeshConfigFeed(KubeClient client, MeshSettings usual, TimeProvider time, Random random, Action<ApiResource, Exception> onError, Action changed, ILogger logger)
    {
        (_usual, _settings, _logger) = (usual, usual, logger);
        _informer = new(client.For<ConfigMap>(), time, random, onError, usual.RootNamespace, "metadata.name=" + Name);
        _subscription = _informer.Cache.Subscribe(_ => changed());
        _running = _informer.RunAsync(_stopping.Token);
    }

    public Task Synced => _informer.Synced;

    /// <summary>The same instance as long as the text is. One caller at a time.</summary>
    public MeshSettings Read()
    {
        var text = _informer.Cache.Find(new ObjectKey(_usual.RootNamespace, Name))?.Data.GetValueOrDefault(Entry);
        if (text == _text)
            return _settings;
        _text = text;
        var problems = new List<string>();
        _settings = text is null ? _usual : MeshConfigReader.Read(_usual, text, problems) ?? _settings;
        foreach (var problem in problems)
            Log.Problem(_logger, _usual.RootNamespace, problem);
        return _settings;
    }

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The mesh's configuration, ConfigMap {Namespace}/istio, entry mesh: {Problem}", EventName = nameof(Problem))]
        public static partial void Problem(ILogger logger, string @namespace, string problem);
    }
}
