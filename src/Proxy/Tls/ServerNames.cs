using System.Collections.Frozen;
using System.Text;

namespace Weft.Proxy.Tls;

/// <summary>Which host a client means: the exact name, else the longest wildcard, else none.</summary>
internal sealed class ServerNames<T>
    where T : class
{
    private const int MaxLength = 253; // RFC 1035 section 2.3.4, as text
    private readonly FrozenDictionary<string, T> _exact;
    private readonly FrozenDictionary<string, T> _bySuffix;

    /// <summary>Of two hosts with one name the first has it.</summary>
    public ServerNames(IEnumerable<(string Name, T Host)> names)
    {
        var lower = names.Select(n => (Name: n.Name.ToLowerInvariant().TrimEnd('.'), n.Host)).DistinctBy(n => n.Name).ToList();
        _exact = lower.Where(n => !n.Name.StartsWith("*.", StringComparison.Ordinal)).ToFrozenDictionary(n => n.Name, n => n.Host);
        _bySuffix = lower.Where(n => n.Name.StartsWith("*.", StringComparison.Ordinal)).ToFrozenDictionary(n => n.Name[1..], n => n.Host);
    }

    /// <param name="name">As <see cref="Normalize"/> gives it.</param>
    public T? Find(ReadOnlySpan<char> name)
    {
        if (_exact.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var host))
            return host;
        var suffixes = _bySuffix.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.'))
        {
            name = name[dot..];
            if (dot > 0 && suffixes.TryGetValue(name, out host))
                return host;
            name = name[1..];
        }

        return null;
    }

    /// <summary>In lower case, without the dot at the end; null: no host name (RFC 6066 section 3: ASCII, no longer than DNS allows).</summary>
    public static string? Normalize(ReadOnlySpan<byte> name)
    {
        if (name.EndsWith("."u8))
            name = name[..^1];
        if (name.IsEmpty || name.Length > MaxLength || name[0] == '.')
            return null;
        foreach (var b in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'-' or (byte)'.' or (byte)'_'))
                return null;
        }

        return Encoding.ASCII.GetString(name).ToLowerInvariant();
    }
}
