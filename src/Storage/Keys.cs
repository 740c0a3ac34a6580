using System.Text;

namespace Weft.Storage;

/// <summary>What a key and a prefix may look like, and their order.</summary>
internal static class Keys
{
    // Longest key the API makes: four names of at most 253 characters (RFC 1123 subdomain) and slashes; with room to spare.
    public const int MaxLength = 2048;

    /// <summary>Byte order of the UTF-8 forms, without making them.</summary>
    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        return common == left.Length || common == right.Length
            ? left.Length - right.Length
            : Rank(left[common]) - Rank(right[common]);
    }

    /// <summary>The first string after everything that starts with the prefix; null when there is none (the empty prefix).</summary>
    public static string? EndOf(string prefix) => prefix.Length == 0 ? null : string.Concat(prefix.AsSpan(0, prefix.Length - 1), "0"); // '0' follows '/'

    public static void Check(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length is 0 or > MaxLength)
            throw new ArgumentException($"a key has 1 to {MaxLength} characters, this one has {key.Length}", nameof(key));
        if (key.Contains('\0') || (!Ascii.IsValid(key) && !IsWellFormed(key)))
            throw new ArgumentException("a key must be well-formed Unicode without NUL", nameof(key));
    }

    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        // Without the slash "/pods/a" would also select "/pods/ab/x": another namespace's objects.
        if (prefix.Length > 0 && prefix[^1] != '/')
            throw new ArgumentException($"a prefix ends in '/', this one is '{prefix}'", nameof(prefix));
    }

    // UTF-16 sorts surrogates (U+10000 and above) below U+E000..U+FFFF, UTF-8 sorts them above.
    private static int Rank(char c) => c < 0xD800 ? c : c < 0xE000 ? c + 0x2000 : c - 0x800;

    private static bool IsWellFormed(string key)
    {
        foreach (var rune in key.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar && !key.Contains('\uFFFD'))
                return false;
        }

        return true;
    }
}
