using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <summary>What one controller works with: its own identity for writing, the shared caches for reading.</summary>
public sealed record ControllerTools(
    string Name, KubeClient Client, Informers Informers, EventRecorder Events, TimeProvider Time, Random Random, ILogger Logger)
{
    public CachedResource<T> Resource<T>() where T : class, IObject => new(Client.For<T>(), Informers.Cache<T>());

    public ControllerLoop<TKey> Loop<TKey>(
        Func<TKey, CancellationToken, Task<TimeSpan?>> reconcile, Func<IEnumerable<TKey>> allKeys, int workers = 8)
        where TKey : notnull =>
        new(Name, reconcile, allKeys, Time, Random, Logger, workers);
}
