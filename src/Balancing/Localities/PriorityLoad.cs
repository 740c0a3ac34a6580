namespace Weft.Balancing.Localities;

/// <summary>Share of the requests for one priority level.</summary>
/// <param name="Percent">0 to 100; all levels together 100.</param>
/// <param name="Panic">So few are healthy that health is not believed: all of the level are used.</param>
public readonly record struct LevelShare(int Percent, bool Panic);

/// <summary>
/// How requests are divided among priority levels. A level that has lost some endpoints keeps all its requests as long as the rest can bear them
/// (overprovisioning); what it cannot bear goes to the next. Envoy's method and figures.
/// </summary>
public static class PriorityLoad
{
    /// <summary>A level counts as whole until 100/140 of it, some 71 %, are healthy.</summary>
    public const double Overprovisioning = 1.4;

    /// <summary>Percent of healthy endpoints below which a level panics.</summary>
    public const int PanicThreshold = 50;

    /// <param name="levels">Healthy and all endpoints of each level, the first priority first.</param>
    public static LevelShare[] Plan(IReadOnlyList<(int Healthy, int Total)> levels, int panicThreshold = PanicThreshold, double overprovisioning = Overprovisioning)
    {
        var health = levels.Select(l => l.Total == 0 ? 0 : (int)Math.Min(100, 100 * overprovisioning * l.Healthy / l.Total)).ToArray();
        var total = Math.Min(100, health.Sum());
        var shares = new LevelShare[levels.Count];
        // Nobody is well: whoever is there is better than an error, in proportion to the size.
        if (total == 0)
            return PanicEverywhere(levels, panicThreshold);

        var left = 100;
        for (var i = 0; i < shares.Length; i++)
        {
            var percent = Math.Min(left, health[i] * 100 / total);
            left -= percent;
            var panics = total < 100 && levels[i].Total > 0 && 100 * levels[i].Healthy < panicThreshold * levels[i].Total;
            shares[i] = new(percent, panics);
        }

        // Rounding leaves a few percent, which belong to the first level that has any.
        for (var i = 0; left > 0 && i < shares.Length; i++)
        {
            if (shares[i].Percent > 0)
                (shares[i], left) = (shares[i] with { Percent = shares[i].Percent + left }, 0);
        }

        return shares;
    }

    private static LevelShare[] PanicEverywhere(IReadOnlyList<(int Healthy, int Total)> levels, int panicThreshold)
    {
        var all = levels.Sum(l => l.Total);
        if (all == 0 || panicThreshold <= 0)
            return new LevelShare[levels.Count];
        var shares = levels.Select(l => new LevelShare(100 * l.Total / all, Panic: l.Total > 0)).ToArray();
        var first = Array.FindIndex(shares, s => s.Panic);
        shares[first] = shares[first] with { Percent = shares[first].Percent + 100 - shares.Sum(s => s.Percent) };
        return shares;
    }
}
