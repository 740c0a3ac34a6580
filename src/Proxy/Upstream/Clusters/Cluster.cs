using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using Weft.Balancing;
using Weft.Balancing.Concurrency;
using Weft.Balancing.Health;
using Weft.Balancing.Localities;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>
/// A cluster for as long as its name is in the configuration. Loops read its tables and report attempts without a lock; whoever maintains it (configuration, checks,
/// the sweep) takes turns at the gate and publishes new tables.
/// </summary>
internal sealed class Cluster
{
    // Weights that rise or fall are looked at so often; finer would rebuild balancers for nothing.
    private const int WindowSlots = 10;
    private readonly int _loops;
    private readonly int _start;
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<Failure> _failures = new();
    private readonly Dictionary<string, Member> _members = [];
    private ClusterConfig _config;
    private Locality _here;
    private OutlierDetector? _outliers;
    private IReadOnlyList<Member> _order = [];
    private Tables _tables = Tables.None;
    private long _nextSweep = long.MaxValue;
    private ConnectWay _way = ConnectWay.Plain;
    private GradientLimit? _concurrency;
    private long _decay = PeakEwma.DefaultDecay;

    /// <param name="loops">How many there are: each has counters of its own.</param>
    /// <param name="start">Where turns begin.</param>
    public Cluster(ClusterConfig config, Locality here, int loops, int start)
    {
        (_config, _here, _loops, _start) = (config, here, loops, start);
        Limits = new ClusterLimits(config.Limits, config.RetryBudget);
    }

    /// <summary>What it bears at once, found by its latency; null: that is not asked.</summary>
    public GradientLimit? Concurrency => Volatile.Read(ref _concurrency);

    public ClusterConfig Config => Volatile.Read(ref _config);

    /// <summary>How its connections are made. An equal way is the same object.</summary>
    public ConnectWay Way => Volatile.Read(ref _way);

    /// <summary>Its name in the table of texts, and its labels in that of destinations; 0: not given yet. Written by whichever loop comes first, always the same.</summary>
    public int Number { get; set; }

    public int Destination { get; set; }

    /// <summary>Nanoseconds in which a response time of before loses most of its say.</summary>
    public long Decay => Volatile.Read(ref _decay);

    /// <summary>Shared by all loops.</summary>
    public ClusterLimits Limits { get; }

    /// <summary>Whether a failure waits for <see cref="Maintain"/>: it should not wait for the next sweep.</summary>
    public bool HasFailures => !_failures.IsEmpty;

    /// <summary>In place of endpoints: whatever address a connection was meant for. Null: there are endpoints.</summary>
    public OriginalAddresses? Originals { get; private set; }

    /// <summary>From now on, or no more.</summary>
    public void SendToOriginals(bool originals) => Originals = originals ? Originals ?? new OriginalAddresses(_loops) : null;

    /// <summary>Whom to ask.</summary>
    /// <param name="meant">What the connection was meant for; null: it is not known.</param>
    /// <param name="index">As that of <see cref="EndpointTable.Pick"/>; -1 where nothing was chosen among others.</param>
    public UpstreamEndpoint? Pick(string? subset, in PickRequest request, IPEndPoint? meant, ref Rng rng, out int index)
    {
        if (Originals is not { } originals)
            return Table(subset).Pick(request, ref rng, out index);
        index = -1;
        return meant is null ? null : originals.Of(meant);
    }

    /// <summary>The endpoints to choose among, of the subset of this name or of all.</summary>
    public EndpointTable Table(string? subset = null)
    {
        var tables = Volatile.Read(ref _tables);
        return subset is null ? tables.All : tables.Subsets.GetValueOrDefault(subset, EndpointTable.Empty);
    }

    /// <summary>Called by the loop of this number when an attempt has ended. A good one is a plain increment.</summary>
    public void Report(UpstreamEndpoint endpoint, AttemptOutcome outcome, int loop)
    {
        if (outcome == AttemptOutcome.Success)
            endpoint.CountGood(loop);
        else if (outcome != AttemptOutcome.Neutral)
            _failures.Enqueue(new Failure(endpoint, outcome, endpoint.Good));
    }

    /// <summary>Takes over a configuration. Endpoints are known by their addresses: those that stay keep what is known of them.</summary>
    /// <param name="endpoints">Resolved; each once.</param>
    /// <param name="now">Ticks of 100 ns of a clock that does not go back.</param>
    /// <param name="way">Null: as until now.</param>
    /// <returns>Whether an endpoint has left.</returns>
    public bool Configure(ClusterConfig config, Locality here, IReadOnlyList<(EndpointConfig Config, IPEndPoint Address)> endpoints, long now, ConnectWay? way = null)
    {
        lock (_gate)
        {
            var outliersChanged = config.Outliers != _config.Outliers;
            var members = _members.Count;
            (_here, _order) = (here, Merge(endpoints, now, out var before));
            var left = _members.Count < members + before.Count(index => index < 0);
            if (config.AdaptiveConcurrency != _config.AdaptiveConcurrency || (config.AdaptiveConcurrency is not null && _concurrency is null))
                Volatile.Write(ref _concurrency, config.AdaptiveConcurrency is { } adaptive ? Gradient(adaptive, now) : null);
            Volatile.Write(ref _decay, config.LoadBalancer is LeastTimeBalancer { Decay: var decay } ? decay.Ticks * 100 : PeakEwma.DefaultDecay);
            Volatile.Write(ref _config, config);
            if (way is not null && way != _way)
                Volatile.Write(ref _way, way);
            Limits.Configure(config.Limits, config.RetryBudget);
            if (outliersChanged || (_outliers is null && config.Outliers is not null))
                _outliers = config.Outliers is { } settings ? new OutlierDetector(settings, _order.Count) : null;
            else
                _outliers?.Rearrange(before);
            _nextSweep = Math.Min(_nextSweep, now + Interval.Ticks);
            Publish(now);
            return left;
        }
    }

    /// <summary>What an active check has found.</summary>
    public void SetChecked(string endpoint, bool healthy, long now)
    {
        lock (_gate)
        {
            if (!_members.TryGetValue(endpoint, out var member) || member.Endpoint.Checked == healthy)
                return;
            // One that comes back begins slowly again.
            if (healthy && member.Endpoint.Checked == false)
                member.Endpoint.State.Since = now;
            member.Endpoint.Checked = healthy;
            Publish(now);
        }
    }

    /// <summary>Judges what the loops have reported and what time has changed. Called at least once a second, and soon after a failure; not by a loop.</summary>
    public void Maintain(long now)
    {
        lock (_gate)
        {
            var changed = TakeFailures(now);
            if (now >= _nextSweep)
            {
                changed |= Sweep(now);
                _nextSweep = now + Interval.Ticks;
            }

            if (changed || _config.SlowStart is not null || _config.HealthWeight is not null)
                Publish(now);
        }
    }

    /// <summary>For whoever asks why: each endpoint, how it stands, and why it is out.</summary>
    public IReadOnlyList<(UpstreamEndpoint Endpoint, EndpointHealth Health, EjectionReason Reason)> Describe()
    {
        lock (_gate)
            return [.. _order.Select((member, i) => (member.Endpoint, HealthOf(member, i), _outliers?.Reason(i) ?? EjectionReason.None))];
    }

    // Clusters, and proxies, do not measure at the same moment.
    private GradientLimit Gradient(AdaptiveConcurrency of, long now) => new(
        new GradientSettings(of.Least, of.Most) { Window = of.Window.Ticks, Tolerance = of.Tolerance, MeasureEvery = of.MeasureEvery.Ticks, MeasureRequests = of.MeasureRequests }, now, _start % 100 / 100.0);

    private TimeSpan Interval => _config.Outliers?.Interval ?? TimeSpan.FromSeconds(1);

    private List<Member> Merge(IReadOnlyList<(EndpointConfig Config, IPEndPoint Address)> endpoints, long now, out int[] before)
    {
        var places = _order.Select((member, i) => (member.Endpoint.Key, i)).ToDictionary(pair => pair.Key, pair => pair.i);
        var order = new List<Member>(endpoints.Count);
        before = new int[endpoints.Count];
        foreach (var (config, address) in endpoints)
        {
            var key = address.ToString();
            before[order.Count] = places.GetValueOrDefault(key, -1);
            if (!_members.TryGetValue(key, out var member))
                _members.Add(key, member = new Member(new UpstreamEndpoint(config, address, _loops, now)));
            member.Endpoint.Config = config;
            order.Add(member);
        }

        foreach (var gone in _members.Values.Except(order).ToList())
            _members.Remove(gone.Endpoint.Key);
        return order;
    }

    private bool TakeFailures(long now)
    {
        var changed = false;
        for (var rest = _failures.Count; rest > 0 && _failures.TryDequeue(out var failure); rest--)
        {
            if (!_members.TryGetValue(failure.Endpoint.Key, out var member) || member.Endpoint != failure.Endpoint)
                continue;
            var index = IndexOf(member);
            CountGood(member, index, failure.GoodBefore, now);
            member.Window?.Add(now, 0, 1);
            changed |= _outliers?.Report(index, failure.Outcome, now) ?? false;
        }

        return changed;
    }

    private bool Sweep(long now)
    {
        for (var i = 0; i < _order.Count; i++)
            CountGood(_order[i], i, _order[i].Endpoint.Good, now);
        return _outliers?.Sweep(now, [.. _order.Select(member => member.Endpoint.State.ResponseTime)]) ?? false;
    }

    /// <summary>Successes up to a number that have not been told yet. One report ends a row of failures; the others only count for the rates.</summary>
    private void CountGood(Member member, int index, long upTo, long now)
    {
        var more = upTo - member.GoodTold;
        if (more <= 0)
            return;
        member.GoodTold = upTo;
        member.Window?.Add(now, more, 0);
        _outliers?.ReportGood(index, more);
    }

    private int IndexOf(Member member)
    {
        for (var i = 0; i < _order.Count; i++)
        {
            if (_order[i] == member)
                return i;
        }

        return -1;
    }

    private EndpointHealth HealthOf(Member member, int index) =>
        member.Endpoint.Config.Draining ? EndpointHealth.Draining
        : member.Endpoint.Checked == false || _outliers?.IsEjected(index) == true ? EndpointHealth.Unhealthy
        : EndpointHealth.Healthy;

    private double FactorOf(Member member, long now)
    {
        var factor = 1.0;
        if (_config.SlowStart is { } slow)
            factor *= new SlowStart(slow.Window.Ticks, slow.Aggression, slow.Least).Factor(member.Endpoint.State.Since, now);
        if (_config.HealthWeight is { } weight)
            factor *= weight.Of((member.Window ??= new SuccessWindow(WindowSlots, TimeSpan.TicksPerSecond)).Ratio(now, least: WindowSlots));
        return factor;
    }

    private void Publish(long now)
    {
        var health = _order.Select(HealthOf).ToArray();
        var factors = _order.Select(member => FactorOf(member, now)).ToArray();
        var weights = EffectiveWeights.Of([.. _order.Select(member => member.Endpoint.Config.Weight)], factors);
        var shape = new Shape([.. _order], health, weights, _config, _here);
        if (shape.Same(_tables.Shape))
            return;
        var all = Build([.. Enumerable.Range(0, _order.Count)], shape, _config.LoadBalancer);
        var subsets = _config.Subsets.ToDictionary(
            subset => subset.Name,
            subset => Build([.. Enumerable.Range(0, _order.Count).Where(i => subset.Labels.IsSubsetOf(_order[i].Endpoint.Config.Labels))], shape, subset.LoadBalancer ?? _config.LoadBalancer));
        Volatile.Write(ref _tables, new Tables(shape, all, subsets.ToFrozenDictionary()));
    }

    private EndpointTable Build(int[] of, Shape shape, LoadBalancer balancer)
    {
        UpstreamEndpoint[] endpoints = [.. of.Select(i => shape.Members[i].Endpoint)];
        IReadOnlyList<Endpoint> described = [.. endpoints.Select(one => new Endpoint(one.Key, one.Config.Weight, one.Config.Locality, one.Config.Priority))];
        var groups = LocalityDistribution.Of(described, _here, [.. _config.Locality.Distribute.Select(rule => new DistributionRule(rule.From, [.. rule.To.Select(to => (to.Locality, to.Weight))]))]);
        if (_config.Locality.Failover && groups is null)
            described = LocalityPriorities.Assign(described, _here, _config.Locality.Regions);
        EndpointState[] states = [.. endpoints.Select(one => one.State)];
        var table = PickTable.Create(
            described, [.. of.Select(i => shape.Health[i])], [.. of.Select(i => shape.Weights[i])],
            level => Balancers.Create(balancer, level, states, _start), _config.PanicThreshold, groups);
        return new EndpointTable(endpoints, table);
    }

    private sealed class Member(UpstreamEndpoint endpoint)
    {
        public UpstreamEndpoint Endpoint => endpoint;

        public SuccessWindow? Window { get; set; }

        public long GoodTold { get; set; }
    }

    private readonly record struct Failure(UpstreamEndpoint Endpoint, AttemptOutcome Outcome, long GoodBefore);

    /// <summary>What tables are made from: the same shape needs no new ones, and round robin keeps its turn.</summary>
    private sealed record Shape(Member[] Members, EndpointHealth[] Health, int[] Weights, ClusterConfig Config, Locality Here)
    {
        public bool Same(Shape? other) =>
            other is not null && Members.SequenceEqual(other.Members) && Health.SequenceEqual(other.Health) && Weights.SequenceEqual(other.Weights) && Config == other.Config && Here == other.Here;
    }

    private sealed record Tables(Shape? Shape, EndpointTable All, FrozenDictionary<string, EndpointTable> Subsets)
    {
        public static readonly Tables None = new(null, EndpointTable.Empty, FrozenDictionary<string, EndpointTable>.Empty);
    }
}
