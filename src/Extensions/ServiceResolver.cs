using System.Collections.Concurrent;
using Weft.Extensions.Pools;
using Weft.Extensions.Sources;

namespace Weft.Extensions;

/// <summary>The names that a process uses, each followed from its first use to the end. Shared by all clients of one set of options.</summary>
public sealed class ServiceResolver : IDisposable, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Followed>> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly CancellationTokenSource _stopping = new();
    private readonly IEndpointSource[] _sources;
    private readonly Random _random;

    public ServiceResolver(DiscoveryOptions options)
    {
        Options = options;
#pragma warning disable RS0030 // the one place of this library where chance enters
        _random = options.Random ?? Random.Shared;
#pragma warning restore RS0030
        _sources = options.Sources.Count > 0 ? [.. options.Sources] : [new RegistrySource(DefaultRegistry(), options.Time, _random, Environment.GetEnvironmentVariable("CONSUL_HTTP_TOKEN"))];
    }

    public DiscoveryOptions Options { get; }

    /// <summary>The endpoints of a name as they are now; waits for the first answer.</summary>
    /// <exception cref="HttpRequestException">Nobody who was asked knows the name.</exception>
    public async Task<IReadOnlyList<ServiceEndpoint>> ResolveAsync(string service, CancellationToken cancellationToken) => (await PoolAsync(service, cancellationToken)).Current.Endpoints;

    internal async Task<EndpointPool> PoolAsync(string service, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        if (!_names.TryGetValue(service, out var followed))
        {
            if (_names.Count >= Options.MaxNames)
                throw new HttpRequestException(HttpRequestError.NameResolutionError, $"'{service}' would be one name more than the {Options.MaxNames} that are followed (DiscoveryOptions.MaxNames)");
            followed = _names.GetOrAdd(service, name => new(() => new Followed(name, this)));
        }

        var name = followed.Value;
        if (name.Pool.Current.Endpoints.Count == 0 && !name.Answered.IsCompleted)
        {
            try
            {
                await name.Answered.WaitAsync(Options.FirstAnswer, Options.Time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Below it is said who did not answer.
            }
        }

        return name.Pool.Current.Endpoints.Count > 0 ? name.Pool
            : throw new HttpRequestException(HttpRequestError.NameResolutionError, $"service '{service}' has no instance that takes traffic: {name.Say()}");
    }

    internal static Uri DefaultRegistry()
    {
        var text = Environment.GetEnvironmentVariable("CONSUL_HTTP_ADDR") is { Length: > 0 } given ? given : "127.0.0.1:8500";
        return Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", UriKind.Absolute, out var address) ? address
            : throw new InvalidOperationException($"CONSUL_HTTP_ADDR is '{text}', which is neither HOST:PORT nor a URL");
    }

    public void Dispose()
    {
        _stopping.Cancel();
        foreach (var source in _sources.OfType<IDisposable>())
            source.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_names.Values.Where(name => name.IsValueCreated).Select(name => name.Value.Ended));
        Dispose();
    }

    private sealed class Followed
    {
        private readonly IReadOnlyList<ServiceEndpoint>?[] _told;
        private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ServiceResolver _resolver;
        private readonly Lock _gate = new();

        public Followed(string name, ServiceResolver resolver)
        {
            _resolver = resolver;
            _told = new IReadOnlyList<ServiceEndpoint>?[resolver._sources.Length];
            Pool = new(resolver.Options, resolver._random);
            Ended = Task.WhenAll(resolver._sources.Select((source, i) => Task.Run(() => source.FollowAsync(name, endpoints => Tell(i, endpoints), resolver._stopping.Token))));
        }

        public EndpointPool Pool { get; }

        /// <summary>The first in order has endpoints, or all have said that they have none.</summary>
        public Task Answered => _answered.Task;

        public Task Ended { get; }

        public string Say()
        {
            lock (_gate)
                return string.Join(", ", _resolver._sources.Select((source, i) => $"{source.Name} {(_told[i] is null ? "did not answer" : "knows none")}"));
        }

        private void Tell(int source, IReadOnlyList<ServiceEndpoint> endpoints)
        {
            lock (_gate)
            {
                _told[source] = endpoints;
                var best = _told.FirstOrDefault(told => told is { Count: > 0 });
                // One further down the order serves until those before it have answered.
                Pool.Replace(best ?? []);
                var firstUnknown = Array.IndexOf(_told, null);
                if (firstUnknown < 0 || (best is not null && Array.IndexOf(_told, best) < firstUnknown))
                    _answered.TrySetResult();
            }
        }
    }
}
