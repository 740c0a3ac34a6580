namespace Weft.Proxy.Filters.Authentication;

/// <summary>Lines of `name:secret`. What is wrong is said by its line: its text may be a secret.</summary>
internal static class CredentialLines
{
    /// <exception cref="ArgumentException">A line has no colon.</exception>
    public static IEnumerable<T> Read<T>(string text, Func<string, string, T> make)
    {
        foreach (var (i, line) in text.Split('\n').Index())
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed.StartsWith('#'))
                continue;
            var colon = trimmed.IndexOf(':', StringComparison.Ordinal);
            yield return colon > 0 ? make(trimmed[..colon], trimmed[(colon + 1)..]) : throw new ArgumentException($"line {i + 1} is not `name:...`");
        }
    }
}
