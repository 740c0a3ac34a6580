using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>Paths of a policy, in the form that requests have theirs.</summary>
internal sealed class PolicyPaths
{
    private readonly PolicyTexts _texts;
    private readonly PathTemplate[] _templates;

    private PolicyPaths(ValueList<string> paths)
    {
        _templates = [.. paths.Where(PathTemplate.IsTemplate).Select(p => PathTemplate.Parse(p))];
        _texts = new(paths.Where(p => !PathTemplate.IsTemplate(p)).Select(Canonical));
    }

    public static PolicyPaths? Of(ValueList<string> paths) => paths.IsEmpty ? null : new(paths);

    /// <param name="anySpelling">A path that an endpoint may take for one of these counts as well: where to match is to refuse.</param>
    public bool Match(RequestPath path, bool anySpelling)
        => Match(path.Path) || (anySpelling && path.HasSpellings && (Match(path.Decoded) || Match(path.Simplified) || Match(path.CutAndSimplified)));

    private bool Match(ReadOnlySpan<byte> path)
    {
        foreach (var template in _templates)
        {
            if (template.Matches(path))
                return true;
        }

        return _texts.Match(path);
    }

    private static string Canonical(string path)
    {
        if (path.EndsWith('*'))
            return CanonicalPath.Part(path[..^1]) + "*";
        return path.StartsWith('*') ? "*" + CanonicalPath.Part(path[1..]) : CanonicalPath.Part(path);
    }
}
