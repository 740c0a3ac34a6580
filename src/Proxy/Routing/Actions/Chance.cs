using Weft.Balancing;

namespace Weft.Proxy.Routing.Actions;

internal static class Chance
{
    /// <summary>True for this fraction of the calls.</summary>
    public static bool Hits(double fraction, ref Rng rng) => fraction >= 1 || (fraction > 0 && rng.Fraction() < fraction);
}
