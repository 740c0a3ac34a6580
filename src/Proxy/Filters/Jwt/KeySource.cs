using Weft.Jose;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>Gets a key set's document. Runs off the loops; never follows a redirect.</summary>
internal interface IKeySetFetcher
{
    /// <returns>Null: it could not be had.</returns>
    Task<byte[]?> FetchAsync(CancellationToken cancellationToken);
}

/// <summary>
/// The keys of one issuer, shared by all loops. The last good ones stay when the issuer is away or answers nonsense: a known key goes on being good, and no unknown one ever
/// becomes so. Tokens with unknown keys bring about one fetch in each interval at most, however many come.
/// </summary>
/// <param name="lifetime">After it the set is fetched anew.</param>
/// <param name="interval">Between the beginnings of two fetches, at least.</param>
internal sealed class KeySource(IKeySetFetcher fetcher, TimeProvider time, TimeSpan lifetime, TimeSpan interval)
{
    private readonly Lock _gate = new();
    private KeySet? _keys;
    private DateTimeOffset _fetchedAt = DateTimeOffset.MinValue;
    private DateTimeOffset _triedAt = DateTimeOffset.MinValue;
    private Task? _fetching;

    /// <summary>Null until there has been a good answer.</summary>
    public KeySet? Keys => Volatile.Read(ref _keys);

    /// <summary>Called for each token; begins a fetch when the keys are old.</summary>
    /// <returns>The fetch under way; null: none is.</returns>
    public Task? Refresh() => Begin(static (age, lifetime) => age >= lifetime);

    /// <summary>A token has a key that is not here: perhaps the issuer has a new one.</summary>
    public Task? RefreshForUnknownKey() => Begin(static (_, _) => true);

    private Task? Begin(Func<TimeSpan, TimeSpan, bool> isDue)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_fetching is not null)
                return _fetching;
            if (!isDue(now - _fetchedAt, lifetime) || now - _triedAt < interval)
                return null;
            _triedAt = now;
            return _fetching = Task.Run(FetchAsync);
        }
    }

    private async Task FetchAsync()
    {
        KeySet? keys = null;
        try
        {
            keys = await fetcher.FetchAsync(CancellationToken.None) is { } document ? KeySet.Parse(document) : null;
        }
        finally
        {
            lock (_gate)
            {
                // A set without a usable key is no rotation but a fault: it would lock everyone out.
                if (keys is { Keys.Count: > 0 })
                {
                    Volatile.Write(ref _keys, keys);
                    _fetchedAt = time.GetUtcNow();
                }

                _fetching = null;
            }
        }
    }
}
