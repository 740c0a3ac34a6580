using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>What a token must say beside being good.</summary>
internal sealed class TokenRequirements(JwtFilter config)
{
    /// <summary>RFC 6750 section 3.1: the request needs more than the token gives.</summary>
    public byte[] Challenge { get; } = Encoding.ASCII.GetBytes(
        "Bearer realm=\"weft\", error=\"insufficient_scope\", error_description=\"the token does not give what is asked for here\"" + (config.Scopes.IsEmpty ? "" : $", scope=\"{string.Join(' ', config.Scopes)}\""));

    /// <summary>What it does not say, in words; null: it says all of it.</summary>
    public string? Unmet(RequestIdentity token)
    {
        foreach (var scope in config.Scopes)
        {
            // `scp` is what some issuers call it, as a list or as words.
            if (!token.Claim(["scope"]).Contains(scope) && !token.Claim(["scp"]).Any(words => words.Split(' ').Contains(scope)))
                return $"scope {scope}";
        }

        foreach (var required in config.Required)
        {
            var values = token.Claim([required.Claim]) is { Count: > 0 } own ? own : token.Claim(required.Claim.Split('.'));
            if (required.Values.IsEmpty ? values.Count == 0 : !values.Any(required.Values.Contains))
                return required.Values.IsEmpty ? $"claim {required.Claim}" : $"claim {required.Claim} as {string.Join(" or ", required.Values)}";
        }

        return null;
    }
}
