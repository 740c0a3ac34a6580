using System.Collections.Concurrent;
using System.Globalization;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`?index=` and `?wait=`: the answer waits for a change. How many may wait is bounded, for each caller and for all.</summary>
internal sealed class BlockingQueries(ServiceRegistry registry, Random random)
{
    // Consul's: five minutes where the client says nothing, ten at most, and up to a sixteenth more so that not all come back together.
    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(5), Longest = TimeSpan.FromMinutes(10);

    // A machine with 1,000 processes that each follow ten names; one of them alone does not take it all.
    internal const int MaxWaiting = 10_000, MaxWaitingOfOne = 2_000;

    private readonly ConcurrentDictionary<string, int> _byCaller = new(StringComparer.Ordinal);

    /// <summary>The state to answer from. Sets the index of the answer.</summary>
    public async Task<RegistryState> StateAsync(ConsulCall call, string topic, Func<RegistryState, long> indexOf)
    {
        var state = registry.Current;
        if (Index(call) is > 0 and var index)
        {
            var caller = call.Context.Connection.RemoteIpAddress?.ToString() ?? "";
            if (registry.Waiting >= MaxWaiting)
                throw TooMany();
            try
            {
                if (_byCaller.AddOrUpdate(caller, 1, (_, count) => count + 1) > MaxWaitingOfOne)
                    throw TooMany();
                state = await registry.WaitAsync(topic, indexOf, index, Wait(call), call.Ended);
            }
            finally
            {
                Leave(caller);
            }
        }

        call.SetIndex(Math.Max(1, indexOf(state)));
        return state;
    }

    private static RegistryException TooMany() => new(429, "too many blocking queries wait already: share one for each name, or ask without an index");

    private void Leave(string caller)
    {
        if (_byCaller.AddOrUpdate(caller, 0, (_, count) => count - 1) <= 0)
            _byCaller.TryRemove(KeyValuePair.Create(caller, 0));
    }

    private static long Index(ConsulCall call) => call.Query("index") is not { Length: > 0 } text ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : throw new RegistryException(400, "Invalid index");

    private TimeSpan Wait(ConsulCall call)
    {
        var wait = call.Query("wait") is not { Length: > 0 } text ? Usual : GoDuration.Parse(text) ?? throw new RegistryException(400, "Invalid wait time");
        wait = wait <= TimeSpan.Zero ? Usual : wait > Longest ? Longest : wait;
        lock (random)
            return wait + wait / 16 * random.NextDouble();
    }
}
