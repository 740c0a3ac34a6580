using System.Globalization;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;

namespace Weft.Proxy.Overload;

/// <summary>
/// Whether a new request can be taken on: those that are under way end well only when not all are begun. Loops ask it for each request, without a lock; what they cannot see
/// themselves (memory, how long they keep others waiting) is looked at from outside, some times a second.
/// </summary>
internal sealed class LoadShedder
{
    // Memory that nobody needs is no overload, but to find out costs a pause: not more often.
    private static readonly TimeSpan BetweenCollections = TimeSpan.FromSeconds(10);
    private readonly LoopServices[] _loops;
    private readonly Probe[] _probes;
    private readonly Func<long> _memory;
    private readonly TimeProvider _time;
    private OverloadConfig? _config;
    private byte[] _retryAfter = [];
    private long? _collected;
    private bool _full;

    /// <param name="memory">Bytes that the process takes.</param>
    public LoadShedder(LoopServices[] loops, Func<long> memory, TimeProvider time)
    {
        (_loops, _memory, _time) = (loops, memory, time);
        _probes = [.. loops.Select(loop => new Probe(loop, time))];
    }

    /// <summary>Whole seconds, for clients that are told to come later.</summary>
    public ReadOnlySpan<byte> RetryAfter => Volatile.Read(ref _retryAfter);

    /// <param name="config">Null: everything is taken on.</param>
    public void Configure(OverloadConfig? config)
    {
        if (config is not null)
            Volatile.Write(ref _retryAfter, Encoding.ASCII.GetBytes(((long)Math.Ceiling(config.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture)));
        Volatile.Write(ref _config, config);
    }

    /// <summary>Why the loop of this number is not to take on the request that it has just counted; null: it may.</summary>
    public string? Refuses(int loop)
    {
        if (Volatile.Read(ref _config) is not { } config)
            return null;
        if (config.MaxRequests > 0 && InFlight() > config.MaxRequests)
            return "overload_requests";
        if (config.MaxMemoryBytes > 0 && Volatile.Read(ref _full))
            return "overload_memory";
        return config.MaxLoopDelay > TimeSpan.Zero && _probes[loop].Delay > config.MaxLoopDelay ? "overload_delay" : null;
    }

    /// <summary>To be called some times a second, by one thread.</summary>
    public void Look()
    {
        if (Volatile.Read(ref _config) is not { } config)
            return;
        if (config.MaxLoopDelay > TimeSpan.Zero)
        {
            foreach (var probe in _probes)
                probe.Send();
        }

        Volatile.Write(ref _full, config.MaxMemoryBytes > 0 && IsFull(config.MaxMemoryBytes));
    }

    private bool IsFull(long most)
    {
        if (_memory() <= most)
            return false;
        if (_collected is { } before && _time.GetElapsedTime(before) < BetweenCollections)
            return true;
        _collected = _time.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return _memory() > most;
    }

    private long InFlight()
    {
        long sum = 0;
        foreach (var loop in _loops)
            sum += Volatile.Read(ref loop.Metrics.InFlight);
        return sum;
    }

    /// <summary>How long something waits in a loop until it has its turn.</summary>
    private sealed class Probe
    {
        private readonly LoopServices _loop;
        private readonly TimeProvider _time;
        private readonly Action _came;
        private long _sent, _ticks;
        private bool _under;

        public Probe(LoopServices loop, TimeProvider time)
        {
            (_loop, _time) = (loop, time);
            _came = Came;
        }

        public TimeSpan Delay => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

        public void Send()
        {
            if (Volatile.Read(ref _under))
            {
                // It waits still, so long at least.
                Volatile.Write(ref _ticks, Math.Max(Volatile.Read(ref _ticks), _time.GetElapsedTime(Volatile.Read(ref _sent)).Ticks));
                return;
            }

            Volatile.Write(ref _sent, _time.GetTimestamp());
            Volatile.Write(ref _under, true);
            _loop.Loop.Post(_came);
        }

        private void Came()
        {
            Volatile.Write(ref _ticks, _time.GetElapsedTime(Volatile.Read(ref _sent)).Ticks);
            Volatile.Write(ref _under, false);
        }
    }
}
