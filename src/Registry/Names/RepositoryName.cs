using System.Text.RegularExpressions;

namespace Weft.Registry.Names;

/// <summary>
/// A repository by its full name, host first: `docker.io/library/nginx`. What a user pushes as `nginx` and what a node asks for as `library/nginx` with
/// `?ns=docker.io` is the same repository.
/// </summary>
public sealed partial record RepositoryName
{
    public const string DefaultHost = "docker.io";

    // distribution-spec: a client may limit host and name together to 255 characters.
    private const int MaxLength = 255;

    private RepositoryName(string host, string path) => (Host, Path) = (host, path);

    public string Host { get; }
    public string Path { get; }
    public string Full => Host + "/" + Path;

    /// <summary>As docker shows it: without `docker.io/library/`.</summary>
    public string Familiar => Host != DefaultHost ? Full : Path.StartsWith("library/", StringComparison.Ordinal) ? Path["library/".Length..] : Path;

    /// <summary>Null when the name follows no rule of the distribution specification: parts of it become directories.</summary>
    /// <param name="name">From the path of a request, or of a reference without its tag.</param>
    /// <param name="origin">The host that a mirror stands for (`?ns=`), or null.</param>
    /// <param name="ownHosts">Under which this registry is reached: `127.0.0.1:5000/x` asked of itself is `x`.</param>
    public static RepositoryName? TryParse(string name, string? origin = null, IReadOnlyCollection<string>? ownHosts = null)
    {
        if (origin is { Length: > 0 } && ownHosts?.Contains(origin) != true)
            return Make(origin, name);

        // docker's rule: what stands before the first slash is a host when it looks like one.
        var slash = name.IndexOf('/');
        var first = slash < 0 ? "" : name[..slash];
        var hasHost = first == "localhost" || first.AsSpan().IndexOfAny('.', ':') >= 0;
        if (hasHost && ownHosts?.Contains(first) == true)
            return TryParse(name[(slash + 1)..], null, null);
        return hasHost ? Make(first, name[(slash + 1)..]) : Make(DefaultHost, name);
    }

    private static RepositoryName? Make(string host, string path)
    {
        host = host.ToLowerInvariant();
        if (host is "index.docker.io" or "registry-1.docker.io")
            host = DefaultHost;
        if (host == DefaultHost && !path.Contains('/'))
            path = "library/" + path;
        return host.Length + path.Length < MaxLength && ValidHost().IsMatch(host) && ValidPath().IsMatch(path) ? new(host, path) : null;
    }

    public override string ToString() => Full;

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[0-9]{1,5})?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ValidHost();

    // distribution-spec 1.1, "Pulling manifests". No component begins with '_': such names are free for files of our own.
    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ValidPath();
}
