using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Headers;

/// <summary>Names of fields, some by their beginning (`x-envoy-*`). An underscore counts as a dash: many servers read both alike, so `x_forwarded_for` must not get past `x-forwarded-for`.</summary>
internal sealed class HeaderNames
{
    private readonly byte[][] _names;
    private readonly byte[][] _prefixes;

    public HeaderNames(IEnumerable<string> names)
    {
        var all = names.Select(n => n.ToLowerInvariant().Replace('_', '-')).ToList();
        _names = [.. all.Where(n => !n.EndsWith('*')).Select(Encoding.ASCII.GetBytes)];
        _prefixes = [.. all.Where(n => n.EndsWith('*')).Select(n => Encoding.ASCII.GetBytes(n[..^1]))];
    }

    public bool IsEmpty => _names.Length == 0 && _prefixes.Length == 0;

    public void RemoveFrom(HeaderList headers)
    {
        for (var i = headers.Count - 1; i >= 0 && !IsEmpty; i--)
        {
            if (Contains(headers.Name(i)))
                headers.RemoveAt(i);
        }
    }

    /// <param name="name">In lower case.</param>
    public bool Contains(ReadOnlySpan<byte> name)
    {
        foreach (var own in _names)
        {
            if (name.Length == own.Length && StartsWith(name, own))
                return true;
        }

        foreach (var prefix in _prefixes)
        {
            if (StartsWith(name, prefix))
                return true;
        }

        return false;
    }

    private static bool StartsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> start)
    {
        if (name.Length < start.Length || (!start.IsEmpty && name[0] != start[0]))
            return false;
        for (var i = 0; i < start.Length; i++)
        {
            if (name[i] != start[i] && !(name[i] == '_' && start[i] == '-'))
                return false;
        }

        return true;
    }
}
