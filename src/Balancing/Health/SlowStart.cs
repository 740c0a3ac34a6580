namespace Weft.Balancing.Health;

/// <summary>
/// A new endpoint gets less than its weight for a while: caches are cold and code is not compiled. Its share grows with time as
/// `max(least, (elapsed / window)^(1 / aggression))`, Envoy's curve, where 1 is a straight line.
/// </summary>
/// <param name="Window">In ticks of the caller's clock; 0: off.</param>
/// <param name="Aggression">Above 1 it gets its requests sooner, below 1 later.</param>
/// <param name="Least">Share at the start, above 0: without a request nothing would ever warm up.</param>
public readonly record struct SlowStart(long Window, double Aggression = 1, double Least = 0.1)
{
    public double Factor(long since, long now)
    {
        if (Window <= 0 || now - since >= Window)
            return 1;
        var part = Math.Max(now - since, 0) / (double)Window;
        return Math.Clamp(Math.Pow(part, 1 / Aggression), Least, 1);
    }
}
