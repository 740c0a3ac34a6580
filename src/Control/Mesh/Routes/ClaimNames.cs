namespace Weft.Control.Mesh.Routes;

/// <summary>Claims of tokens as rules of a virtual service name them where names of header fields stand (Istio): `@request.auth.claims.a.b`, or `@request.auth.claims[a][b]` for names with dots in them.</summary>
internal static class ClaimNames
{
    private const string Prefix = "@request.auth.claims";

    /// <summary>Such a name, well-formed or not: no field of a request has it.</summary>
    public static bool Is(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>From the top down; null: it names no claim.</summary>
    public static IReadOnlyList<string>? Path(string name)
    {
        var path = name[Prefix.Length..] switch
        {
            ['.', .. var names] => names.Split('.'),
            ['[', .. var names, ']'] => names.Split("]["),
            _ => [""],
        };
        return path.Any(part => part.Length == 0 || (name[Prefix.Length] == '[' && part.AsSpan().ContainsAny('[', ']'))) ? null : path;
    }
}
