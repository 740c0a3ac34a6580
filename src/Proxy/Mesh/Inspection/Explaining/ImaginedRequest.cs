using System.Globalization;
using System.Text;
using System.Text.Json;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>The question in the form in which routes and policies see requests.</summary>
internal static class ImaginedRequest
{
    /// <param name="problem">Why a proxy would refuse it (400), in a word; null: it would not.</param>
    public static RequestFacts Of(ExplainQuestion question, ConnectionFacts connection, PathSettings paths, out string? problem)
    {
        var facts = new RequestFacts { Connection = connection, ClientAddress = connection.Source.Address };
        var isUsual = question.Port == (question.Scheme == "https" ? 443 : 80);
        facts.Head.Method = Encoding.ASCII.GetBytes(question.Method);
        facts.Head.Scheme = Encoding.ASCII.GetBytes(question.Scheme);
        facts.Head.Authority = Encoding.ASCII.GetBytes(isUsual ? question.Host : string.Create(CultureInfo.InvariantCulture, $"{question.Host}:{question.Port}"));
        facts.Head.Target = Encoding.UTF8.GetBytes(question.Path);
        foreach (var header in question.Headers)
        {
            if (header.Name.Equals("host", StringComparison.OrdinalIgnoreCase))
                facts.Head.Authority = Encoding.ASCII.GetBytes(header.Value);
            else
                facts.Head.Headers.Add(Encoding.ASCII.GetBytes(header.Name), Encoding.UTF8.GetBytes(header.Value));
        }

        problem = facts.Normalize(paths);
        return facts;
    }

    /// <summary>Who the request's token says it is from, taken as valid: its signature is for whoever gets it. Null: there is none that can be read.</summary>
    public static ImaginedIdentity? TokenOf(ExplainQuestion question)
    {
        const string Scheme = "Bearer ";
        var field = question.Headers.FirstOrDefault(header => header.Name.Equals("authorization", StringComparison.OrdinalIgnoreCase))?.Value;
        return field?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true ? Read(field[Scheme.Length..].Trim(), []) : null;
    }

    /// <summary>Likewise, of the issuer, and where it looks for tokens.</summary>
    public static ImaginedIdentity? TokenOf(RequestFacts request, JwtProviderConfig issuer)
        => TokenIssuer.LocationsOf(issuer).Find(request.Head, out var token) == TokenCount.One && Read(token, issuer.SpaceDelimitedClaims) is { } identity && identity.Issuer == issuer.Issuer ? identity : null;

    /// <summary>Whether something stands where the issuer looks for tokens.</summary>
    public static bool HasToken(RequestFacts request, JwtProviderConfig issuer) => TokenIssuer.LocationsOf(issuer).Find(request.Head, out _) != TokenCount.None;

    private static ImaginedIdentity? Read(string token, ValueList<string> lists)
    {
        if (token.Split('.') is not [_, var payload, _])
            return null;
        try
        {
            using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload));
            return claims.RootElement.ValueKind == JsonValueKind.Object ? new ImaginedIdentity(claims.RootElement.Clone(), lists) : null;
        }
        catch (Exception bad) when (bad is FormatException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>As <see cref="TokenIdentity"/>, of claims that nobody has verified.</summary>
internal sealed class ImaginedIdentity(JsonElement claims, ValueList<string> lists) : RequestIdentity
{
    public string Issuer => ClaimText.Values(claims, ["iss"]) is [var issuer] ? issuer : "";

    public override string Principal => ClaimText.Values(claims, ["sub"]) is [{ Length: > 0 } subject] && Issuer.Length > 0 ? $"{Issuer}/{subject}" : "";

    public override IReadOnlyList<string> Audiences => ClaimText.Values(claims, ["aud"]);

    public override string? Presenter => ClaimText.Values(claims, ["azp"]) is [var presenter] ? presenter : null;

    public override IReadOnlyList<string> Claim(IReadOnlyList<string> path) => ClaimText.Words(claims, path, lists);
}
