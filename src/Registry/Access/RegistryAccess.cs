using System.Text;
using Microsoft.AspNetCore.Http;

namespace Weft.Registry.Access;

/// <summary>
/// Who may do what on the loopback listener: everybody pulls, the account of the password file pushes. Clients differ in how they learn that:
/// docker looks at the answer to `GET /v2/` alone and gives up a pull without credentials when that asks for Basic, so the challenge is Bearer, whose
/// tokens anybody gets for pulling. curl and scripts may send Basic straight away.
/// </summary>
public sealed class RegistryAccess(PushPassword password, TimeProvider time)
{
    internal const string TokenPath = "token";

    private readonly RegistryTokens _tokens = new(time);

    /// <summary>Null: credentials that are wrong, which is not the same as none.</summary>
    internal RegistryRights? Check(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length == 0)
            return RegistryRights.Pull;
        if (Parameter(header, "Bearer") is { } token)
            return _tokens.Read(token);
        return Basic(header);
    }

    /// <summary>For the token request: Basic or nothing.</summary>
    internal RegistryRights? CheckBasic(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.Length == 0 ? RegistryRights.Pull : Basic(header);
    }

    internal string Issue(RegistryRights rights) => _tokens.Issue(rights);

    /// <summary>Where a token is to be had: at the address that the client has used.</summary>
    internal static string Challenge(HttpRequest request, string? repository, bool write)
    {
        var scope = repository is null ? "" : $",scope=\"repository:{repository}:{(write ? "pull,push" : "pull")}\"";
        return $"Bearer realm=\"{request.Scheme}://{request.Host}/v2/{TokenPath}\",service=\"weft\"{scope}";
    }

    private RegistryRights? Basic(string header)
    {
        if (Parameter(header, "Basic") is not { } encoded)
            return null;
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, bytes, out var length))
            return null;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        // skopeo without credentials sends an empty name and password.
        if (text == ":")
            return RegistryRights.Pull;
        var colon = text.IndexOf(':');
        return colon > 0 && password.Matches(text[..colon], text[(colon + 1)..]) ? RegistryRights.Push : null;
    }

    private static string? Parameter(string header, string scheme) =>
        header.Length > scheme.Length && header[scheme.Length] == ' ' && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[(scheme.Length + 1)..].Trim() : null;
}
