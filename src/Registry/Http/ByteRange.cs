using System.Globalization;

namespace Weft.Registry.Http;

/// <summary>One range of bytes that a client asks for (RFC 9110 section 14): pulls that were cut go on where they were.</summary>
internal readonly record struct ByteRange(long First, long Length)
{
    /// <summary>Null: no range, several, or one that is not understood; the whole is sent then, as the RFC allows.</summary>
    /// <exception cref="RegistryException">416: it begins behind the end.</exception>
    internal static ByteRange? Parse(string header, long total)
    {
        const string unit = "bytes=";
        if (!header.StartsWith(unit, StringComparison.OrdinalIgnoreCase))
            return null;
        var dash = header.IndexOf('-');
        if (dash < 0 || header.Contains(','))
            return null;
        var from = header[unit.Length..dash].Trim();
        var to = header[(dash + 1)..].Trim();
        if (from.Length == 0)
        {
            if (!Number(to, out var last))
                return null;
            if (last == 0 || total == 0)
                throw NotThere(total);
            return new(Math.Max(0, total - last), Math.Min(last, total));
        }

        if (!Number(from, out var first))
            return null;
        var end = total - 1;
        if (to.Length > 0)
        {
            if (!Number(to, out var asked) || asked < first)
                return null;
            end = Math.Min(asked, end);
        }

        if (first >= total)
            throw NotThere(total);
        return new(first, end - first + 1);
    }

    private static bool Number(string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static RegistryException NotThere(long total) => new(416, "RANGE_INVALID", $"the blob has {total} bytes");
}
