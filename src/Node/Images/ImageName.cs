using System.Text.RegularExpressions;

namespace Weft.Node.Images;

/// <summary>
/// The name of an image as a pod gives it, in full: `nginx` is `docker.io/library/nginx:latest`. Grammar and limits are those of the distribution
/// specification's references. Pure.
/// </summary>
/// <param name="Domain">Host and port of the registry.</param>
/// <param name="Path">Repository below it.</param>
internal sealed partial record ImageName(string Domain, string Path, string? Tag, string? Digest)
{
    // The distribution specification's limit of a repository's name.
    private const int MaxName = 255;
    private const int MaxTag = 128;

    public string Repository => $"{Domain}/{Path}";

    /// <summary>What is pulled: the digest where there is one, else the tag.</summary>
    public string Full => Digest is { } digest ? $"{Repository}@{digest}" : $"{Repository}:{Tag}";

    /// <summary>Kubernetes' default: a name that may mean something else tomorrow is asked for each time.</summary>
    public string DefaultPullPolicy => Digest is null && Tag == "latest" ? "Always" : "IfNotPresent";

    public static ImageName? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var rest = text;
        string? digest = null, tag = null;
        if (rest.IndexOf('@', StringComparison.Ordinal) is var at and >= 0)
        {
            digest = rest[(at + 1)..];
            rest = rest[..at];
            if (!DigestForm().IsMatch(digest))
                return null;
        }
        if (rest.LastIndexOf(':') is var colon and >= 0 && !rest[colon..].Contains('/', StringComparison.Ordinal))
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (tag.Length > MaxTag || !TagForm().IsMatch(tag))
                return null;
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : rest[..slash];
        // A first part that could be a host name is one: it has a dot, a port or capital letters, or is `localhost`.
        var hasDomain = slash >= 0 && (first == "localhost" || first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first.Any(char.IsAsciiLetterUpper));
        var (domain, path) = hasDomain ? (first, rest[(slash + 1)..]) : ("docker.io", rest);
        if (domain is "index.docker.io")
            domain = "docker.io";
        if (domain == "docker.io" && !path.Contains('/', StringComparison.Ordinal))
            path = "library/" + path;
        if (!DomainForm().IsMatch(domain) || !PathForm().IsMatch(path) || domain.Length + 1 + path.Length > MaxName || HexForm().IsMatch(rest))
            return null;
        return new(domain, path, digest is null ? tag ?? "latest" : tag, digest);
    }

    [GeneratedRegex("^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?\\z", RegexOptions.NonBacktracking)]
    private static partial Regex DomainForm();

    [GeneratedRegex("^[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*\\z", RegexOptions.NonBacktracking)]
    private static partial Regex PathForm();

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.-]*\\z", RegexOptions.NonBacktracking)]
    private static partial Regex TagForm();

    [GeneratedRegex("^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\\z", RegexOptions.NonBacktracking)]
    private static partial Regex DigestForm();

    // A bare image id is no name that a registry could answer for.
    [GeneratedRegex("^[0-9a-f]{64}\\z", RegexOptions.NonBacktracking)]
    private static partial Regex HexForm();
}
