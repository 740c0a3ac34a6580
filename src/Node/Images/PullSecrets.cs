using System.Text;
using System.Text.Json;
using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Images;

/// <summary>Credentials for a registry, out of a pod's imagePullSecrets. Matching is the kubelet's: host parts with wildcards, port, path as a prefix. Pure.</summary>
internal static class PullSecrets
{
    // Beyond this a Secret is no docker configuration (a Secret has at most 1 MiB).
    private const int MaxEntries = 1000;

    /// <summary>Those for this image, the most specific first. What cannot be read is left out.</summary>
    public static IReadOnlyList<RegistryCredential> For(ImageName image, IEnumerable<Secret> secrets)
    {
        var found = secrets.SelectMany(Read).Where(c => Matches(c.Server, image)).ToList();
        return [.. found.OrderByDescending(c => Stripped(c.Server).Length).Distinct()];
    }

    public static IReadOnlyList<RegistryCredential> Read(Secret secret)
    {
        try
        {
            return secret.Type switch
            {
                "kubernetes.io/dockerconfigjson" when secret.Data.TryGetValue(".dockerconfigjson", out var json) => Servers(json, nested: true),
                "kubernetes.io/dockercfg" when secret.Data.TryGetValue(".dockercfg", out var cfg) => Servers(cfg, nested: false),
                _ => [],
            };
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static List<RegistryCredential> Servers(byte[] json, bool nested)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (nested && (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("auths", out root)))
            return [];
        var list = new List<RegistryCredential>();
        if (root.ValueKind != JsonValueKind.Object)
            return list;
        foreach (var entry in root.EnumerateObject().Take(MaxEntries))
        {
            if (entry.Value.ValueKind == JsonValueKind.Object && Credential(entry.Name, entry.Value) is { } credential)
                list.Add(credential);
        }
        return list;
    }

    private static RegistryCredential? Credential(string server, JsonElement entry)
    {
        var (user, password) = (Text(entry, "username"), Text(entry, "password"));
        if (Text(entry, "auth") is { Length: > 0 } auth && user is null)
        {
            var buffer = new byte[auth.Length];
            if (!Convert.TryFromBase64String(auth.Trim(), buffer, out var length))
                return null;
            var pair = Encoding.UTF8.GetString(buffer, 0, length).TrimEnd('\0');
            if (pair.IndexOf(':', StringComparison.Ordinal) is var colon && colon < 0)
                return null;
            (user, password) = (pair[..colon], pair[(colon + 1)..]);
        }
        return user is null ? null : new(server, user, password ?? "");
    }

    private static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>`*.example.com:5000/team` for `reg.example.com:5000/team/app`: as many host parts, `*` within one part only, the same port, a prefix of the path.</summary>
    public static bool Matches(string server, ImageName image)
    {
        var stripped = Stripped(server);
        var slash = stripped.IndexOf('/', StringComparison.Ordinal);
        var (host, path) = slash < 0 ? (stripped, "") : (stripped[..slash], stripped[(slash + 1)..]);
        // Docker's own name for its registry, with the version of its API.
        if (host is "index.docker.io" or "registry-1.docker.io")
            host = "docker.io";
        if (path is "v1" or "v2" || path.StartsWith("v1/", StringComparison.Ordinal) || path.StartsWith("v2/", StringComparison.Ordinal))
            path = path.Length > 3 ? path[3..] : "";
        return HostMatches(host, image.Domain) && (path.Length == 0 || image.Path == path || image.Path.StartsWith(path + "/", StringComparison.Ordinal));
    }

    private static bool HostMatches(string pattern, string host)
    {
        var (wanted, given) = (Split(pattern), Split(host));
        if (wanted.Port != given.Port || wanted.Parts.Length != given.Parts.Length)
            return false;
        return wanted.Parts.Zip(given.Parts).All(pair => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pair.First, pair.Second));

        static (string[] Parts, string Port) Split(string text)
        {
            var colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
            return colon < 0 ? (text.Split('.'), "") : (text[..colon].Split('.'), text[(colon + 1)..]);
        }
    }

    private static string Stripped(string server)
    {
        var text = server.StartsWith("https://", StringComparison.Ordinal) ? server[8..] : server.StartsWith("http://", StringComparison.Ordinal) ? server[7..] : server;
        return text.TrimEnd('/');
    }
}
