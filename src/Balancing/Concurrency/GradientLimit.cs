using System.Runtime.InteropServices;

namespace Weft.Balancing.Concurrency;

/// <summary>What <see cref="GradientLimit"/> goes by. The defaults are those of Envoy's gradient controller.</summary>
/// <param name="Least">Never below so many; what is allowed while the ideal is measured.</param>
public sealed record GradientSettings(int Least = 3, int Most = 1000)
{
    /// <summary>How often the limit is looked at, in ticks of 100 ns.</summary>
    public long Window { get; init; } = TimeSpan.TicksPerMillisecond * 100;

    /// <summary>Latency above the ideal that is no reason to slow down, as a share of it.</summary>
    public double Tolerance { get; init; } = 0.25;

    /// <summary>The latency that this share of the requests stays below stands for all of them.</summary>
    public double Percentile { get; init; } = 0.5;

    /// <summary>How often the ideal is measured anew, in ticks.</summary>
    public long MeasureEvery { get; init; } = TimeSpan.TicksPerSecond * 60;

    /// <summary>Of how many requests.</summary>
    public int MeasureRequests { get; init; } = 50;

    /// <summary>A measurement is over after so many windows, however few have been answered: some requests take as long as they like, and others wait for their places.</summary>
    public int MeasureWindows { get; init; } = 20;
}

/// <summary>
/// How many requests at once an upstream bears, found by its latency (the gradient of Netflix' concurrency limits, as Envoy has it). Now and then so few are allowed that none
/// waits: their latency is the ideal. Between that, each window gives
/// `gradient = ideal x (1 + tolerance) / latency` (0.5 to 2) and `limit = gradient x limit + sqrt(gradient x limit)`: it grows while latency stays near the ideal, and shrinks as requests begin to queue.
/// Called by several loops at once; no lock, no allocation.
/// </summary>
public sealed class GradientLimit
{
    // Envoy's bounds: one window changes it by a factor of two at most, and with the limit at its least so many times in a row the ideal itself is doubted.
    private const double LeastGradient = 0.5, MostGradient = 2;
    private const int DoubtAfter = 5;

    // What fewer requests than this share of a measurement took does not replace an ideal that is known.
    private const int FewestShare = 10;

    // All proxies would else take away their limits at the same moment: up to so much of the time between is added.
    private const double Jitter = 0.1;
    private readonly GradientSettings _settings;
    private readonly LatencyHistogram _latencies = new();
    private readonly long _jitter;
    private Padded _values;
    private long _ideal, _next, _measureAt, _measureEnd, _epoch;
    private int _before, _atLeast, _turn;
    private bool _measures = true;

    /// <param name="now">Ticks of 100 ns of a clock that does not go back.</param>
    /// <param name="chance">0 up to 1.</param>
    public GradientLimit(GradientSettings settings, long now, double chance = 0)
    {
        _settings = settings;
        _jitter = (long)(settings.MeasureEvery * Jitter * chance);
        (_values.Limit, _before, _epoch, _next) = (settings.Least, settings.Least, now, now + settings.Window);
        _measureEnd = now + (settings.MeasureWindows * settings.Window);
    }

    public GradientSettings Settings => _settings;

    public int Limit => Volatile.Read(ref _values.Limit);

    public int Active => Volatile.Read(ref _values.Active);

    /// <summary>Latency in nanoseconds without a queue; 0: not known yet.</summary>
    public long Ideal => Volatile.Read(ref _ideal);

    /// <param name="now">In ticks.</param>
    public bool TryEnter(long now)
    {
        if (Active >= Limit)
        {
            // Those who are inside may all stay: then nobody who leaves ends the measurement.
            if (!Volatile.Read(ref _measures) || now < Volatile.Read(ref _measureEnd))
                return false;
            LookInTurn(now);
            if (Active >= Limit)
                return false;
        }

        if (Interlocked.Increment(ref _values.Active) <= Limit)
            return true;
        Interlocked.Decrement(ref _values.Active);
        return false;
    }

    /// <summary>A request that has entered is answered, or over: what is still to come of an answer is no measure of the upstream, and may never end.</summary>
    /// <param name="started">When it entered, and now, both in ticks.</param>
    /// <param name="nanoseconds">Its latency; negative when it says nothing (it was not answered).</param>
    public void Leave(long started, long now, long nanoseconds)
    {
        Interlocked.Decrement(ref _values.Active);
        // What began under another limit has waited for others.
        if (nanoseconds >= 0 && (!Volatile.Read(ref _measures) || started >= Volatile.Read(ref _epoch)))
            _latencies.Add(nanoseconds);
        if (now < Volatile.Read(ref _next) && !(Volatile.Read(ref _measures) && _latencies.Count >= _settings.MeasureRequests))
            return;
        LookInTurn(now);
    }

    // One of the loops looks; the others go on.
    private void LookInTurn(long now)
    {
        if (Interlocked.CompareExchange(ref _turn, 1, 0) != 0)
            return;
        Look(now);
        Volatile.Write(ref _turn, 0);
    }

    private void Look(long now)
    {
        if (_measures)
        {
            if (_latencies.Count >= _settings.MeasureRequests || now >= _measureEnd)
                Measured(now);
        }
        else if (now >= _measureAt || _atLeast >= DoubtAfter)
        {
            Measure(now);
        }
        else if (_latencies.Take(_settings.Percentile) is { } latency)
        {
            Step(latency);
        }

        Volatile.Write(ref _next, now + _settings.Window);
    }

    private void Step(long latency)
    {
        var gradient = Math.Clamp(_ideal * (1 + _settings.Tolerance) / Math.Max(latency, 1), LeastGradient, MostGradient);
        var limit = gradient * Limit;
        // The room for more grows with the limit, and shrinks slower than it.
        Set((int)Math.Min(limit + Math.Sqrt(limit), _settings.Most));
        _atLeast = Limit == _settings.Least ? _atLeast + 1 : 0;
    }

    private void Measured(long now)
    {
        var enough = _latencies.Count >= Math.Max(1, _settings.MeasureRequests / FewestShare);
        var latency = _latencies.Take(_settings.Percentile);
        if (latency is { } ideal && (enough || _ideal == 0))
            Volatile.Write(ref _ideal, Math.Max(ideal, 1));
        Set(_before);
        if (_ideal == 0)
        {
            // Nobody has been answered, ever. Nothing says that the upstream bears no more, so others get their chance, as in a window with no queue.
            Set((int)Math.Min(Limit + Math.Sqrt(Limit), _settings.Most));
            _before = Limit;
            Volatile.Write(ref _measureEnd, now + (_settings.MeasureWindows * _settings.Window));
            return;
        }

        _measureAt = now + _settings.MeasureEvery + _jitter;
        Volatile.Write(ref _measures, false);
    }

    private void Measure(long now)
    {
        (_before, _atLeast) = (Limit, 0);
        _latencies.Take(0);
        Volatile.Write(ref _epoch, now);
        Set(_settings.Least);
        Volatile.Write(ref _measureEnd, now + (_settings.MeasureWindows * _settings.Window));
        Volatile.Write(ref _measures, true);
    }

    private void Set(int limit) => Volatile.Write(ref _values.Limit, Math.Clamp(limit, _settings.Least, _settings.Most));

    // Apart from each other and from what else is near, as in EndpointState.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Padded
    {
        [FieldOffset(128)] public int Active;
        [FieldOffset(256)] public int Limit;
    }
}
