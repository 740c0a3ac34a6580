using System.Text.RegularExpressions;

namespace Weft.Registry.Names;

/// <summary>A tag (distribution-spec 1.1): a word of at most 128 characters.</summary>
public static partial class Tags
{
    public const string Default = "latest";

    public static bool IsValid(string text) => Valid().IsMatch(text);

    [GeneratedRegex(@"\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Valid();
}

/// <summary>An image as a pod names it: `nginx`, `my-app:1.0`, `quay.io/a/b@sha256:...`.</summary>
/// <param name="Reference">A tag, or a digest.</param>
public sealed record ImageReference(RepositoryName Repository, string Reference)
{
    public static ImageReference? TryParse(string text, IReadOnlyCollection<string>? ownHosts = null)
    {
        var (name, reference) = (text, Tags.Default);
        var at = text.IndexOf('@');
        if (at >= 0)
        {
            // `name:tag@digest`: the digest counts.
            (name, reference) = (text[..at], text[(at + 1)..]);
            if (Digest.TryParse(reference) is null)
                return null;
        }

        var colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf('/'))
        {
            var tag = name[(colon + 1)..];
            name = name[..colon];
            if (!Tags.IsValid(tag))
                return null;
            if (at < 0)
                reference = tag;
        }

        return RepositoryName.TryParse(name, null, ownHosts) is { } repository ? new(repository, reference) : null;
    }

    public override string ToString() => Repository.Full + (Digest.TryParse(Reference) is null ? ":" : "@") + Reference;
}
