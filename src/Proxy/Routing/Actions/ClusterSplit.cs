namespace Weft.Proxy.Routing.Actions;

/// <summary>Shares of the requests by weight: which one is decided by a number, so the same number has the same answer.</summary>
internal sealed class ClusterSplit
{
    private readonly SplitTarget[] _targets;
    private readonly ulong[] _upTo;
    private readonly ulong _total;

    /// <exception cref="ArgumentException">No weight above 0.</exception>
    public ClusterSplit(IReadOnlyList<SplitTarget> targets)
    {
        // A weight of 0 takes nothing: it is how a canary begins and ends.
        _targets = [.. targets.Where(t => t.Weight > 0)];
        if (_targets.Length == 0)
            throw new ArgumentException("no cluster has a weight above 0");
        _upTo = new ulong[_targets.Length];
        for (var i = 0; i < _targets.Length; i++)
            _upTo[i] = _total += (ulong)_targets[i].Weight;
    }

    public bool IsSingle => _targets.Length == 1;

    public SplitTarget Pick(ulong number)
    {
        // The high half of a product, as Rng.Below: without a division, and even to within 2^-64 of the total.
        var at = Math.BigMul(number, _total, out _);
        var i = 0;
        while (_upTo[i] <= at)
            i++;
        return _targets[i];
    }
}
