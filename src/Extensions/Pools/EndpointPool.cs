using Weft.Balancing;
using Weft.Balancing.Algorithms;
using Weft.Balancing.Health;
using Weft.Extensions.Sources;

namespace Weft.Extensions.Pools;

/// <summary>An endpoint that a request was given to.</summary>
/// <param name="Index">Among the set that it was chosen from.</param>
internal readonly record struct Choice(EndpointSet Set, int Index)
{
    public ServiceEndpoint Endpoint => Set.Endpoints[Index];
}

/// <summary>The endpoints of one name at one moment, and who of them is left out.</summary>
/// <param name="Usable">Indices that the balancer's are.</param>
internal sealed record EndpointSet(IReadOnlyList<ServiceEndpoint> Endpoints, IReadOnlyList<EndpointState> States, int[] Usable, IBalancer Balancer);

/// <summary>Endpoints of one name: chooses among them, remembers how they did. What is known of an endpoint stays while it stays.</summary>
internal sealed class EndpointPool
{
    private readonly DiscoveryOptions _options;
    private readonly Lock _gate = new();
    private OutlierDetector _outliers;
    private EndpointSet _set;
    private long _swept;
    private long _seed;

    public EndpointPool(DiscoveryOptions options, Random random)
    {
        _options = options;
        _outliers = new(options.Ejection, 0);
        _set = Make([], []);
        lock (random)
            _seed = random.NextInt64();
    }

    public EndpointSet Current => Volatile.Read(ref _set);

    public void Replace(IReadOnlyList<ServiceEndpoint> endpoints)
    {
        lock (_gate)
        {
            if (endpoints.SequenceEqual(_set.Endpoints))
                return;
            var old = _set.Endpoints.Select((endpoint, i) => (endpoint, i)).DistinctBy(pair => (pair.endpoint.Address, pair.endpoint.Port)).ToDictionary(pair => (pair.endpoint.Address, pair.endpoint.Port), pair => pair.i);
            var before = endpoints.Select(endpoint => old.TryGetValue((endpoint.Address, endpoint.Port), out var i) ? i : -1).ToArray();
            _outliers.Rearrange(before);
            Volatile.Write(ref _set, Make(endpoints, [.. before.Select(i => i < 0 ? new EndpointState() : _set.States[i])]));
        }
    }

    /// <param name="tried">Of the same set.</param>
    /// <returns>Null: nobody is there that was not tried.</returns>
    public Choice? Choose(EndpointSet set, IReadOnlyList<int> tried)
    {
        Sweep();
        if (set.Usable.Length == 0)
            return null;
        var marked = new TriedEndpoints();
        foreach (var index in tried)
            marked = marked.With(Array.IndexOf(set.Usable, index));
        // One seed a pick: picks of several threads share nothing else.
        var rng = new Rng((ulong)Interlocked.Increment(ref _seed));
        // A balancer may draw one that was tried; a few draws find another where there is one.
        for (var draws = 0; draws < 8; draws++)
        {
            var picked = set.Balancer.Pick(new PickRequest { Tried = marked }, ref rng);
            if (picked >= 0 && !tried.Contains(set.Usable[picked]))
                return new(set, set.Usable[picked]);
        }

        var other = Array.FindIndex(set.Usable, index => !tried.Contains(index));
        return other < 0 ? null : new(set, set.Usable[other]);
    }

    public void Started(Choice choice) => choice.Set.States[choice.Index].Started();

    public void Ended(Choice choice, AttemptOutcome outcome, TimeSpan took)
    {
        var now = _options.Time.GetTimestamp();
        choice.Set.States[choice.Index].Ended(outcome == AttemptOutcome.Success ? took.Ticks * 100 : -1, _options.Time.GetElapsedTime(0, now).Ticks * 100);
        lock (_gate)
        {
            // The set may be another by now: the endpoint counts, not its place.
            var index = ReferenceEquals(choice.Set.Endpoints, _set.Endpoints) ? choice.Index : IndexOf(choice.Endpoint);
            if (index >= 0 && _outliers.Report(index, outcome, Now()))
                Volatile.Write(ref _set, Make(_set.Endpoints, _set.States));
        }
    }

    private int IndexOf(ServiceEndpoint endpoint)
    {
        for (var i = 0; i < _set.Endpoints.Count; i++)
        {
            if (_set.Endpoints[i].Address == endpoint.Address && _set.Endpoints[i].Port == endpoint.Port)
                return i;
        }

        return -1;
    }

    private void Sweep()
    {
        // Ejections end at their time, not at the interval's: a second is as fine as anybody notices.
        var now = Now();
        if (now - Volatile.Read(ref _swept) < TimeSpan.TicksPerSecond)
            return;
        lock (_gate)
        {
            if (now - _swept < TimeSpan.TicksPerSecond)
                return;
            _swept = now;
            if (_outliers.Sweep(now))
                Volatile.Write(ref _set, Make(_set.Endpoints, _set.States));
        }
    }

    private EndpointSet Make(IReadOnlyList<ServiceEndpoint> endpoints, IReadOnlyList<EndpointState> states)
    {
        var usable = Enumerable.Range(0, endpoints.Count).Where(index => !_outliers.IsEjected(index)).ToArray();
        // All are out: that is more likely the network, or this client, than all of them.
        if (usable.Length == 0)
            usable = [.. Enumerable.Range(0, endpoints.Count)];
        var weights = usable.Select(index => endpoints[index].Weight).ToArray();
        EndpointState[] some = [.. usable.Select(index => states[index])];
        IBalancer balancer = _options.Balancing switch
        {
            BalancingPolicy.LeastRequest => new LeastRequest(some, weights),
            BalancingPolicy.Random => new WeightedRandom([.. weights.Select(weight => (double)weight)]),
            BalancingPolicy.LeastResponseTime => new LeastResponseTime(some, weights),
            _ => new RoundRobin(weights, (int)(Interlocked.Read(ref _seed) & 0xFFF)),
        };
        return new(endpoints, states, usable, balancer);
    }

    private long Now() => _options.Time.GetUtcNow().Ticks;
}
