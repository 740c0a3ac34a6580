namespace Weft.Balancing.Health;

/// <summary>
/// The seeds' rule of failover, `R = 1 / (1 + e^(-k (x - theta)))`: an endpoint's weight is multiplied by R, where x is its recent success ratio (0 to 1),
/// theta the ratio at which it keeps half of its weight, and k how steep the fall is. So a failing endpoint loses its requests by degrees and
/// before a check throws it out, and one that recovers is not flooded.
/// </summary>
/// <param name="Steepness">k, above 0. With 20 and theta 0.7: 0.997 of the weight without failures, 0.5 at 70 %, 0.018 at 50 %.</param>
/// <param name="Threshold">theta, between 0 and 1.</param>
public readonly record struct HealthWeight(double Steepness, double Threshold)
{
    public static readonly HealthWeight Default = new(20, 0.7);

    /// <summary>R for a success ratio; NaN (no requests yet) counts as all good.</summary>
    public double Of(double successRatio) => double.IsNaN(successRatio) ? 1 : 1 / (1 + Math.Exp(-Steepness * (Math.Clamp(successRatio, 0, 1) - Threshold)));
}
