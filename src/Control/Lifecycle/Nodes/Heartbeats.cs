using Weft.Api.Coordination;
using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <summary>
/// When each node was last heard, by this process's own clock: what a lease says of the time is the word of another clock. A heartbeat
/// counts when it differs from the last one.
/// </summary>
internal sealed class Heartbeats(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Beat, long At)> _leases = [];
    private readonly Dictionary<string, (string Beat, long At)> _statuses = [];
    private readonly Dictionary<string, long> _known = [];

    public void Heard(Lease lease) => Note(_leases, lease.Metadata.Name ?? "", $"{lease.Spec.HolderIdentity}/{lease.Spec.RenewTime}");

    public void Heard(Node node)
    {
        lock (_gate)
            _known.TryAdd(node.Metadata.Uid ?? "", time.GetTimestamp());
        if (node.Status.Conditions.FirstOrDefault(condition => condition.Type == "Ready") is { Status: not "Unknown" } ready)
            Note(_statuses, node.Metadata.Name ?? "", $"{ready.LastHeartbeatTime:O}/{ready.Status}");
    }

    public void Forget(Node node)
    {
        lock (_gate)
        {
            _known.Remove(node.Metadata.Uid ?? "");
            _leases.Remove(node.Metadata.Name ?? "");
            _statuses.Remove(node.Metadata.Name ?? "");
        }
    }

    /// <summary>How long nothing was heard of the node; since it appeared, if never.</summary>
    public TimeSpan SilentFor(Node node)
    {
        lock (_gate)
        {
            var last = _known.GetValueOrDefault(node.Metadata.Uid ?? "", time.GetTimestamp());
            if (_leases.TryGetValue(node.Metadata.Name ?? "", out var lease))
                last = Math.Max(last, lease.At);
            if (_statuses.TryGetValue(node.Metadata.Name ?? "", out var status))
                last = Math.Max(last, status.At);
            return time.GetElapsedTime(last);
        }
    }

    /// <summary>We did not listen: everybody gets the whole grace again.</summary>
    public void StartAgain()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            foreach (var uid in _known.Keys.ToList())
                _known[uid] = now;
        }
    }

    private void Note(Dictionary<string, (string Beat, long At)> book, string node, string beat)
    {
        lock (_gate)
        {
            if (!book.TryGetValue(node, out var last) || last.Beat != beat)
                book[node] = (beat, time.GetTimestamp());
        }
    }
}
