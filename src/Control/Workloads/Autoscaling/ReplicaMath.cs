namespace Weft.Control.Workloads;

/// <summary>How far off its target a metric may be.</summary>
public readonly record struct Tolerances(double Down, double Up)
{
    // --horizontal-pod-autoscaler-tolerance.
    public const double Usual = 0.1;

    public bool Allow(double ratio) => ratio >= 1 - Down && ratio <= 1 + Up;
}

/// <summary>How many copies a metric asks for (Kubernetes' documented algorithm: the number that would bring the metric to its target).</summary>
public static class ReplicaMath
{
    /// <summary>Metrics of pods.</summary>
    /// <param name="ratio">Of what is measured to what should be, for given figures by pod; null: nothing can be said.</param>
    /// <param name="full">What a pod without a figure is taken to use when there seem to be too many pods; with too few it is taken to use nothing.</param>
    /// <returns>Copies, or null when no pod was measured.</returns>
    public static int? ForPods(int current, PodGroups groups, Tolerances tolerances, Func<IReadOnlyDictionary<string, long>, double?> ratio, Func<string, long> full)
    {
        var figures = groups.Measured.ToDictionary(pair => pair.Key, pair => pair.Value.Milli);
        if (figures.Count == 0 || ratio(figures) is not { } measured)
            return null;

        var upWithUnready = groups.Unready.Count > 0 && measured > 1;
        if (!upWithUnready && groups.Missing.Count == 0)
            return tolerances.Allow(measured) ? current : Ceiling(measured * figures.Count);

        // Guesses go against the change: what is not known must not make it larger.
        foreach (var pod in groups.Missing)
        {
            if (measured < 1)
                figures[pod] = full(pod);
            else if (measured > 1)
                figures[pod] = 0;
        }
        if (upWithUnready)
        {
            foreach (var pod in groups.Unready)
                figures[pod] = 0;
        }

        if (ratio(figures) is not { } guessed || tolerances.Allow(guessed) || measured < 1 && guessed > 1 || measured > 1 && guessed < 1)
            return current;
        var wanted = Ceiling(guessed * figures.Count);
        return guessed < 1 && wanted > current || guessed > 1 && wanted < current ? current : wanted;
    }

    /// <summary>One figure against a target for all: copies grow with the ratio.</summary>
    /// <param name="ready">Pods that share the load now.</param>
    public static int ForValue(int current, int ready, double ratio, Tolerances tolerances) =>
        current == 0 ? Ceiling(ratio) : tolerances.Allow(ratio) ? current : Ceiling(ratio * ready);

    /// <summary>One figure against a target for each copy.</summary>
    public static int ForAverage(int current, double value, double each, Tolerances tolerances) =>
        current > 0 && tolerances.Allow(value / (each * current)) ? current : Ceiling(value / each);

    private static int Ceiling(double value) => (int)Math.Clamp(Math.Ceiling(value), 0, int.MaxValue);
}
