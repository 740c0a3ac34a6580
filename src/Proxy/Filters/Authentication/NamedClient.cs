namespace Weft.Proxy.Filters.Authentication;

/// <summary>Whom a key or a password belongs to.</summary>
internal sealed class NamedClient(string name) : RequestIdentity
{
    public override string Principal => name;

    /// <summary>What may stand in a field for the endpoint (RFC 9110 section 5.5) and in a line of a table.</summary>
    public static bool IsName(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange('!', '~') && !name.Contains(':', StringComparison.Ordinal);
}
