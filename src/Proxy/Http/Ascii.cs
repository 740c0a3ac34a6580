namespace Weft.Proxy.Http;

/// <summary>Comparison without regard to case, of bytes that are known to be ASCII.</summary>
internal static class Ascii
{
    public static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => System.Text.Ascii.EqualsIgnoreCase(text, lower);

    public static void ToLower(ReadOnlySpan<byte> text, Span<byte> lower) => System.Text.Ascii.ToLower(text, lower, out _);

    /// <summary>One element of a comma-separated list; parameters of it are not looked at.</summary>
    public static bool HasToken(ReadOnlySpan<byte> list, ReadOnlySpan<byte> lower)
    {
        foreach (var range in list.Split((byte)','))
        {
            var element = list[range].Trim(" \t"u8);
            if (Is(element, lower))
                return true;
        }

        return false;
    }
}
