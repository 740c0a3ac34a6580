using System.Security.Cryptography;
using System.Text;
using Weft.Api.Core;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Inputs;

/// <summary>What the front door needs of a Secret. Keys are here by their hash alone, passwords as htpasswd keeps them. Equal by value.</summary>
public sealed record DoorSecret
{
    // A Secret holds 1 MiB. These are read at each compilation, and beyond it belongs a directory of users.
    private const int MostEntries = 10_000;

    public string Namespace { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>It has the entries tls.crt and tls.key.</summary>
    public bool HasCertificate { get; init; }

    /// <summary>Lines of `name:hash` that the proxy can check, from the entry `auth` or of the type kubernetes.io/basic-auth.</summary>
    public ValueList<string> Users { get; init; } = [];

    /// <summary>Likewise, where each entry is a user.</summary>
    public ValueList<string> UserEntries { get; init; } = [];

    /// <summary>Names of users whose hash the proxy cannot check, and numbers of lines that are none.</summary>
    public ValueList<string> Unusable { get; init; } = [];

    /// <summary>Each entry as a key, under the entry's name.</summary>
    public ValueList<ApiKey> Keys { get; init; } = [];

    /// <summary>Entries that are JWK sets, without what is private in them.</summary>
    public ValueList<NamedKeySet> KeySets { get; init; } = [];

    public static DoorSecret Of(Secret secret)
    {
        var unusable = new List<string>();
        return new()
        {
            Namespace = secret.Metadata.Namespace ?? "", Name = secret.Metadata.Name ?? "",
            HasCertificate = secret.Data.GetValueOrDefault("tls.crt") is { Length: > 0 } && secret.Data.GetValueOrDefault("tls.key") is { Length: > 0 },
            Users = [.. UsersOf(secret, unusable)],
            UserEntries = secret.Type == "kubernetes.io/tls" ? [] : [.. Entries(secret).Select(entry => Line(entry.Key, entry.Text, null)).OfType<string>()],
            Keys = secret.Type == "kubernetes.io/tls" ? [] : [.. Entries(secret).Where(entry => IsName(entry.Key) && entry.Text.Length > 0).Select(entry => new ApiKey(entry.Key, Hex(entry.Text)))],
            KeySets = [.. secret.Data.OrderBy(entry => entry.Key, StringComparer.Ordinal).Take(MostEntries).Select(entry => PublicKeys.Of(entry.Value) is { } json ? new NamedKeySet(entry.Key, json) : null).OfType<NamedKeySet>()],
            Unusable = unusable.ToValueList(),
        };
    }

    private static IEnumerable<(string Key, string Text)> Entries(Secret secret)
        => secret.Data.OrderBy(entry => entry.Key, StringComparer.Ordinal).Take(MostEntries).Select(entry => (entry.Key, Encoding.UTF8.GetString(entry.Value).Trim()));

    private static IEnumerable<string> UsersOf(Secret secret, List<string> unusable)
    {
        if (secret.Type == "kubernetes.io/basic-auth" && secret.Data.TryGetValue("username", out var name) && secret.Data.TryGetValue("password", out var password))
        {
            var hash = "{SHA256}" + Convert.ToBase64String(SHA256.HashData(password));
            return Line(Encoding.UTF8.GetString(name).Trim(), hash, unusable) is { } own ? [own] : [];
        }

        if (!secret.Data.TryGetValue("auth", out var file))
            return [];
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (i, line) in Encoding.UTF8.GetString(file).Split('\n').Take(MostEntries).Index())
        {
            var text = line.Trim();
            if (text.Length == 0 || text.StartsWith('#'))
                continue;
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                unusable.Add($"line {i + 1}");
            else if (Line(text[..colon], text[(colon + 1)..], unusable) is { } user)
                users[text[..colon]] = user;
        }

        return users.Values;
    }

    // The forms are those of the proxy's own table; a plain password does not leave the server.
    private static string? Line(string name, string hash, List<string>? unusable)
    {
        if (hash.StartsWith("{PLAIN}", StringComparison.Ordinal))
            hash = "{SHA256}" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(hash["{PLAIN}".Length..])));
        if (IsName(name) && (IsDigest(hash, "{SHA}", SHA1.HashSizeInBytes) || IsDigest(hash, "{SHA256}", SHA256.HashSizeInBytes) || IsBcrypt(hash)))
            return $"{name}:{hash}";
        unusable?.Add(IsName(name) ? $"user {name}" : "a user whose name is not of visible ASCII");
        return null;
    }

    private static bool IsDigest(string hash, string form, int length)
        => hash.StartsWith(form, StringComparison.Ordinal) && Convert.TryFromBase64String(hash[form.Length..], new byte[64], out var written) && written == length;

    // $2y$CC$ and 53 characters; costs as the proxy takes them.
    private static bool IsBcrypt(string hash)
        => hash.Length == 60 && (hash.StartsWith("$2y$", StringComparison.Ordinal) || hash.StartsWith("$2b$", StringComparison.Ordinal) || hash.StartsWith("$2a$", StringComparison.Ordinal))
            && int.TryParse(hash.AsSpan(4, 2), out var cost) && cost is >= 4 and <= 14 && hash[6] == '$' && hash.AsSpan(7).IndexOfAnyExcept("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") < 0;

    private static bool IsName(string name) => name.Length is > 0 and <= 128 && name.All(c => c is > ' ' and <= '~' and not ':');

    private static string Hex(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    // What the hashes of passwords are is nobody's business in a log or a failed test.
    public override string ToString() => $"Secret {Namespace}/{Name}";
}
