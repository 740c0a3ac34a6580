namespace Weft.Proxy.Routing.Matching;

/// <summary>`a.example`, `*.example` (one label or more), `*`. In lower case.</summary>
internal sealed class HostPattern(string pattern)
{
    private readonly string _pattern = pattern.ToLowerInvariant().TrimEnd('.');

    /// <param name="name">In lower case; null matches nothing but `*`.</param>
    public bool Matches(string? name)
    {
        if (_pattern == "*")
            return true;
        if (name is null)
            return false;
        return _pattern.StartsWith("*.", StringComparison.Ordinal)
            ? name.Length >= _pattern.Length && name.AsSpan().EndsWith(_pattern.AsSpan(1), StringComparison.Ordinal)
            : name == _pattern;
    }
}
