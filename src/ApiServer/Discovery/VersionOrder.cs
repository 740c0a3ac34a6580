using System.Globalization;

namespace Weft.ApiServer.Discovery;

/// <summary>Kubernetes' order of versions: v2, v1, v2beta1, v1beta2, v1alpha1, then all else by name. The first is the preferred one.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    internal static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var (a, b) = (Parse(x!), Parse(y!));
        if (a is null || b is null)
            return a is null && b is null ? string.CompareOrdinal(x, y) : a is null ? 1 : -1;
        return b.Value.CompareTo(a.Value);
    }

    // (stability, major, minor); stability 3 for a version without a suffix.
    private static (int Stability, int Major, int Minor)? Parse(string version)
    {
        if (version.Length < 2 || version[0] != 'v')
            return null;
        var rest = version.AsSpan(1);
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0)
            return Number(rest) is { } only ? (3, only, 0) : null;
        if (Number(rest[..digits]) is not { } major)
            return null;
        rest = rest[digits..];
        var stability = rest.StartsWith("beta") ? 2 : rest.StartsWith("alpha") ? 1 : 0;
        if (stability == 0)
            return null;
        return Number(rest[(stability == 2 ? 4 : 5)..]) is { } minor ? (stability, major, minor) : null;
    }

    private static int? Number(ReadOnlySpan<char> text) =>
        text.Length is > 0 and < 10 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
