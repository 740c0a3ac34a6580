namespace Weft.Node.Tests;

/// <summary>Names that no other test run on this machine uses.</summary>
internal static class Chance
{
    public static Random Source { get; } = new(Environment.ProcessId ^ (int)TimeProvider.System.GetTimestamp());

    public static string Next()
    {
        lock (Source)
            return Source.Next().ToString("x8");
    }
}
