namespace Weft.Proxy.Filters;

/// <summary>Who sends a request, by what the request itself carries and a filter has verified.</summary>
internal abstract class RequestIdentity
{
    /// <summary>`issuer/subject` of a token, the client of a key, the user of a password.</summary>
    public abstract string Principal { get; }

    public virtual IReadOnlyList<string> Audiences => [];

    /// <summary>The token's `azp`; null: none.</summary>
    public virtual string? Presenter => null;

    /// <summary>The values of a claim: one for a text, number or boolean, several for a list (or for words of `scope`). Empty: there is none.</summary>
    /// <param name="path">From the top down.</param>
    public virtual IReadOnlyList<string> Claim(IReadOnlyList<string> path) => [];
}
