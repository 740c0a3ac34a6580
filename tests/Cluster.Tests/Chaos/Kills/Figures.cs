using System.Collections.Concurrent;
using System.Globalization;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>What the readers saw.</summary>
internal sealed class Figures
{
    private readonly ConcurrentBag<(Staleness Stale, TimeSpan Waited)> _names = [];
    private readonly ConcurrentBag<(Staleness Stale, TimeSpan Waited)> _connections = [];
    private readonly ConcurrentBag<TimeSpan> _writes = [];
    private readonly ConcurrentBag<TimeSpan> _servers = [];

    internal ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>The time without a server not counted.</summary>
    internal TimeSpan LongestStale => _names.Concat(_connections).Max(seen => seen.Stale.Present);

    internal int Names => _names.Count;

    internal int Connections => _connections.Count;

    internal int Writes => _writes.Count;

    internal void Name(Staleness stale, TimeSpan waited) => _names.Add((stale, waited));

    internal void Connection(Staleness stale, TimeSpan waited) => _connections.Add((stale, waited));

    internal void Write(TimeSpan took) => _writes.Add(took);

    internal void ServerBack(TimeSpan after) => _servers.Add(after);

    public override string ToString() => $"""
        names:       {Reads(_names)}
        connections: {Reads(_connections)}
        writes:      {_writes.Count}, took {Quantiles(_writes)}
        server away: {_servers.Count} times, {Quantiles(_servers)}
        """;

    private static string Reads(IReadOnlyCollection<(Staleness Stale, TimeSpan Waited)> seen) =>
        $"{seen.Count} answers, waited {Quantiles(seen.Select(one => one.Waited))}; stale {Quantiles(seen.Select(one => one.Stale.InAll))}; with the server there {Quantiles(seen.Select(one => one.Stale.Present))}";

    private static string Quantiles(IEnumerable<TimeSpan> spans)
    {
        var sorted = spans.Select(span => span.TotalMilliseconds).Order().ToList();
        return sorted.Count == 0 ? "nothing" : string.Create(CultureInfo.InvariantCulture, $"p50 {At(0.5):0} p99 {At(0.99):0} p99.9 {At(0.999):0} most {sorted[^1]:0} ms");

        double At(double share) => sorted[(int)(share * (sorted.Count - 1))];
    }
}
