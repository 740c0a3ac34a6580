namespace Weft.Proxy.Routing.Table;

/// <summary>From a host to its routes: the exact name, then the longest wildcard, then `*`; each with the port before without.</summary>
internal sealed class HostIndex
{
    public static readonly HostIndex Empty = new(SharedByteTable<HostRoutes>.Empty, SharedByteTable<HostRoutes>.Empty, 0);

    private readonly SharedByteTable<HostRoutes> _exact;
    // By what follows the asterisk: `.example`, `.example:8080`, and for `*` nothing.
    private readonly SharedByteTable<HostRoutes> _wildcards;
    private readonly int _ports;

    private HostIndex(SharedByteTable<HostRoutes> exact, SharedByteTable<HostRoutes> wildcards, int ports) => (_exact, _wildcards, _ports) = (exact, wildcards, ports);

    /// <summary>Another index, at the cost of what is different.</summary>
    /// <param name="gone">Domains that stand in this one.</param>
    /// <exception cref="ArgumentException">A domain stands twice.</exception>
    public HostIndex With(IEnumerable<string> gone, IEnumerable<(string Domain, HostRoutes Routes)> come)
    {
        var less = gone.Select(Canonical).ToList();
        var more = come.Select(d => (Domain: Canonical(d.Domain), d.Routes)).ToList();
        return new(
            _exact.With(less.Where(IsExact), more.Where(d => IsExact(d.Domain)).Select(d => KeyValuePair.Create(d.Domain, d.Routes))),
            _wildcards.With(less.Where(d => !IsExact(d)).Select(d => d[1..]), more.Where(d => !IsExact(d.Domain)).Select(d => KeyValuePair.Create(d.Domain[1..], d.Routes))),
            _ports - less.Count(HasPort) + more.Count(d => HasPort(d.Domain)));
    }

    public HostRoutes? Find(RequestFacts facts)
    {
        var name = facts.Host.Name;
        Span<byte> buffer = stackalloc byte[RequestHost.MaxLength];
        // A request without a port is one to the port of its scheme.
        var hasPorts = _ports > 0;
        var withPort = hasPorts ? WithPort(facts, buffer) : default;
        if (hasPorts && _exact.TryGet(withPort, out var routes))
            return routes;
        if (_exact.TryGet(name, out routes))
            return routes;
        if (_wildcards.Count == 0)
            return null;
        for (var dot = name.IndexOf((byte)'.'); dot >= 0;)
        {
            if (Wildcard(name[dot..], hasPorts ? withPort[dot..] : default, out routes))
                return routes;
            var next = name[(dot + 1)..].IndexOf((byte)'.');
            dot = next < 0 ? -1 : dot + 1 + next;
        }

        return Wildcard(default, hasPorts ? withPort[name.Length..] : default, out routes) ? routes : null;
    }

    /// <summary>Domains of a configuration in the form that requests have (<see cref="RequestHost"/>).</summary>
    public static string Canonical(string domain)
    {
        var lower = domain.ToLowerInvariant();
        var colon = HasPort(lower) ? lower.LastIndexOf(':') : lower.Length;
        return lower[..colon].TrimEnd('.') + lower[colon..];
    }

    private static bool IsExact(string domain) => !domain.StartsWith('*');

    // `[::1]` has colons and no port.
    private static bool HasPort(string domain) => domain.LastIndexOf(':') > domain.LastIndexOf(']');

    private bool Wildcard(ReadOnlySpan<byte> suffix, ReadOnlySpan<byte> suffixWithPort, out HostRoutes? routes)
        => (_ports > 0 && _wildcards.TryGet(suffixWithPort, out routes)) || _wildcards.TryGet(suffix, out routes);

    private static ReadOnlySpan<byte> WithPort(RequestFacts facts, Span<byte> buffer)
    {
        if (facts.Host.Port > 0)
            return facts.Host.Authority;
        facts.Host.Name.CopyTo(buffer);
        var port = facts.Head.Scheme.SequenceEqual("https"u8) ? ":443"u8 : ":80"u8;
        port.CopyTo(buffer[facts.Host.Name.Length..]);
        return buffer[..(facts.Host.Name.Length + port.Length)];
    }
}
