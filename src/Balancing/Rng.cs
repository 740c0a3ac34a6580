namespace Weft.Balancing;

/// <summary>Chance for balancing: SplitMix64 (Steele, Lea, Flood 2014). One for each event loop, so that no line is shared; not for secrets.</summary>
public struct Rng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next() => StableHash.Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>0 to <paramref name="bound"/> - 1, evenly to within 2^-32: the high half of a product in place of a division.</summary>
    public int Below(int bound) => (int)(((Next() >> 32) * (ulong)(uint)bound) >> 32);

    /// <summary>From 0 up to but not 1.</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));
}
