using System.Diagnostics.CodeAnalysis;

namespace Weft.Testing;

/// <summary>Chance that a test can repeat.</summary>
public static class Seeded
{
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "Test data.")]
    public static Random Random(int seed) => new(seed);
}
