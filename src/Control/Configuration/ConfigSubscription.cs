using System.Collections.Immutable;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Control.Configuration;

/// <summary>One proxy's place in the configuration: the keys of what it lacks, each once.</summary>
public sealed class ConfigSubscription : IDisposable
{
    private readonly ConfigHub _hub;
    private readonly HashSet<UnitKey> _behind;
    private HashSet<UnitKey> _told = [];
    private readonly SemaphoreSlim _signal = new(1, 1); // the first step is sent in any case: it says "you are current"

    internal ConfigSubscription(ConfigHub hub, string proxy, IEnumerable<UnitKey> behind) => (_hub, Proxy, _behind) = (hub, proxy, [.. behind]);

    public string Proxy { get; }

    /// <summary>Ends when there is something to send.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _signal.WaitAsync(cancellationToken);

    /// <summary>The messages of one step: everything that the proxy lacks now, as it is now.</summary>
    public IReadOnlyList<Delta> Take()
    {
        lock (_hub.Gate)
        {
            var step = new List<Delta>();
            var upserts = ImmutableArray.CreateBuilder<ConfigUnit>();
            var removes = ImmutableArray.CreateBuilder<UnitKey>();
            var bytes = 0;
            foreach (var key in _behind)
            {
                if (bytes > WireLimits.TargetMessageBytes)
                    Flush(more: true);
                if (_hub.FindLocked(key) is { } unit)
                    upserts.Add(unit);
                else
                    removes.Add(key);
                bytes += WireLimits.MaxKeyBytes + (_hub.FindLocked(key)?.Bytes.Length ?? 0);
            }

            Flush(more: false);
            _told = [.. _behind];
            _behind.Clear();
            return step;

            void Flush(bool more)
            {
                step.Add(new Delta(_hub.Epoch, _hub.VersionLocked, upserts.ToImmutable(), removes.ToImmutable(), more));
                upserts.Clear();
                removes.Clear();
                bytes = 0;
            }
        }
    }

    public void Acknowledge(Ack ack) => _hub.Acknowledged(Proxy, ack, _told);

    /// <param name="addresses">Of endpoints that the proxy uses no more, and that still answer it.</param>
    public void Drains(IEnumerable<string> addresses) => _hub.Drains(this, addresses);

    internal int Behind => _behind.Count;

    internal void AddLocked(UnitKey key)
    {
        _behind.Add(key);
        if (_signal.CurrentCount == 0)
            _signal.Release();
    }

    public void Dispose()
    {
        _hub.Leave(this);
        _signal.Dispose();
    }
}
