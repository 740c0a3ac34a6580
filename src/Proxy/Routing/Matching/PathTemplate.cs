using System.Text;

namespace Weft.Proxy.Routing.Matching;

internal enum TemplateSegmentKind { Literal, One, Rest }

internal readonly record struct TemplateSegment(TemplateSegmentKind Kind, byte[] Text);

/// <summary>
/// A path with wildcards in place of segments: `{*}` or `{name}` for one that is not empty, `{**}` or `{name=**}` for any text of any number of segments, the last of its kind. So `/a/{**}`
/// takes `/a/` and what is below, not `/a` itself (Envoy's URI templates; Istio's policies).
/// </summary>
internal sealed class PathTemplate
{
    private PathTemplate(IReadOnlyList<TemplateSegment> segments) => Segments = segments;

    public IReadOnlyList<TemplateSegment> Segments { get; }

    /// <summary>Whether a text of a policy is meant as a template.</summary>
    public static bool IsTemplate(string path) => path.Contains("{*}", StringComparison.Ordinal) || path.Contains("{**}", StringComparison.Ordinal);

    /// <exception cref="ArgumentException">With the reason.</exception>
    public static PathTemplate Parse(string template, bool ignoreCase = false)
    {
        if (!template.StartsWith('/'))
            throw new ArgumentException($"'{template}' does not begin with a slash");
        var segments = template[1..].Split('/').Select(text => Segment(template, text, ignoreCase)).ToList();
        var rest = segments.FindIndex(s => s.Kind == TemplateSegmentKind.Rest);
        if (rest >= 0 && segments.Skip(rest + 1).Any(s => s.Kind != TemplateSegmentKind.Literal))
            throw new ArgumentException($"'{template}' has a wildcard behind {{**}}, which takes all of them");
        return new(segments);
    }

    public bool Matches(ReadOnlySpan<byte> path)
    {
        foreach (var segment in Segments)
        {
            if (path.IsEmpty || path[0] != '/')
                return false;
            path = path[1..];
            if (segment.Kind == TemplateSegmentKind.Rest)
                return path.EndsWith(RestSuffix());
            var end = path.IndexOf((byte)'/');
            var text = end < 0 ? path : path[..end];
            if (segment.Kind == TemplateSegmentKind.One ? text.IsEmpty : !text.SequenceEqual(segment.Text))
                return false;
            path = path[text.Length..];
        }

        return path.IsEmpty;
    }

    /// <summary>What must stand behind `{**}`, with the slash in front; empty: nothing.</summary>
    public byte[] RestSuffix()
    {
        _suffix ??= [.. Segments.SkipWhile(s => s.Kind != TemplateSegmentKind.Rest).Skip(1).SelectMany(s => s.Text.Prepend((byte)'/'))];
        return _suffix;
    }

    private byte[]? _suffix;

    private static TemplateSegment Segment(string template, string text, bool ignoreCase)
    {
        if (!text.Contains('{') && !text.Contains('}'))
            return new(TemplateSegmentKind.Literal, Encoding.ASCII.GetBytes(ignoreCase ? CanonicalPath.Part(text).ToLowerInvariant() : CanonicalPath.Part(text)));
        var inner = text is ['{', .. var name, '}'] ? name : "";
        var (variable, pattern) = inner.Split('=') switch
        {
            ["*" or "**"] => ("", inner),
            [var only] => (only, "*"),
            [var left, var right] => (left, right),
            _ => ("{", ""),
        };
        if (inner.Length == 0 || pattern is not ("*" or "**") || !variable.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            throw new ArgumentException($"'{template}': '{text}' is neither text nor one of {{*}}, {{**}}, {{name}}, {{name=**}}");
        return new(pattern == "*" ? TemplateSegmentKind.One : TemplateSegmentKind.Rest, []);
    }
}
