namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>The versions of one service: which were sent, and when each was acknowledged. One writer, many readers.</summary>
internal sealed class ServiceHistory(Absences absences, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly List<long> _acknowledged = [];
    private int _sent;

    /// <summary>The last version that the API has acknowledged; -1: none.</summary>
    internal int Last
    {
        get
        {
            lock (_gate)
                return _acknowledged.Count - 1;
        }
    }

    /// <summary>Called before a version is written: from now on it may be seen.</summary>
    internal void Sending(int version) => Volatile.Write(ref _sent, version);

    internal void Acknowledged()
    {
        lock (_gate)
            _acknowledged.Add(time.GetTimestamp());
    }

    /// <summary>For how long a newer version had been acknowledged already when the question was asked: in all, and while the server was there.</summary>
    internal Staleness Of(int seen, long asked)
    {
        Assert.InRange(seen, 0, Volatile.Read(ref _sent));
        long newer;
        lock (_gate)
        {
            if (seen + 1 >= _acknowledged.Count || _acknowledged[seen + 1] >= asked)
                return default;
            newer = _acknowledged[seen + 1];
        }

        return new(time.GetElapsedTime(newer, asked), absences.Present(newer, asked));
    }
}

/// <param name="InAll">From the acknowledgement to the question.</param>
/// <param name="Present">The same without the time during which there was no server.</param>
internal readonly record struct Staleness(TimeSpan InAll, TimeSpan Present);
