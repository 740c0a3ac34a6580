namespace Weft.Bench.Mesh.Latency;

/// <summary>
/// Rounds in which two things were measured one right after the other, so that what disturbed a round disturbed both. Intervals are by the bootstrap over rounds: latencies within one depend on
/// each other.
/// </summary>
internal sealed class Paired(IReadOnlyList<(double[] Base, double[] With)> rounds)
{
    private const int Resamples = 1000;

    /// <summary>How much more a quantile is with than without, over all rounds, and its interval of 95 %.</summary>
    public (double Difference, double From, double To) At(double quantile, Random random)
    {
        var resampled = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
            resampled[i] = Difference([.. Enumerable.Range(0, rounds.Count).Select(_ => rounds[random.Next(rounds.Count)])], quantile);
        var figures = new Figures(resampled);
        return (Difference(rounds, quantile), figures.At(0.025), figures.At(0.975));
    }

    private static double Difference(IReadOnlyList<(double[] Base, double[] With)> of, double quantile) =>
        new Figures(of.SelectMany(round => round.With)).At(quantile) - new Figures(of.SelectMany(round => round.Base)).At(quantile);
}
