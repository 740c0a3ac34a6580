namespace Weft.Balancing.Health;

/// <summary>What is left of the weights after health and slow start, as the whole numbers that balancers take.</summary>
public static class EffectiveWeights
{
    // Steps of a hundredth: finer changes would rebuild balancers for nothing.
    private const double Grain = 100;

    /// <param name="factors">0 to 1 for each endpoint. Nobody falls to 0: an endpoint without requests could never show that it is well again.</param>
    public static int[] Of(IReadOnlyList<int> weights, IReadOnlyList<double> factors)
    {
        if (factors.All(f => f >= 1))
            return [.. weights];
        var scaled = new int[weights.Count];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = (int)Math.Clamp(Math.Round(weights[i] * Math.Clamp(factors[i], 0, 1) * Grain), 1, Endpoint.MaxWeight * Grain);
        return scaled;
    }
}
