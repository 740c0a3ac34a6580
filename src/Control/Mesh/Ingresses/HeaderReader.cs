using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Header fields that the service or the client gets.</summary>
internal static class HeaderReader
{
    public static ValueList<FilterConfig> Read(IngressAnnotations annotations)
    {
        var request = Lines("request-headers", annotations);
        if (annotations.Text("x-forwarded-prefix") is { } prefix)
        {
            if (prefix.StartsWith('/') && prefix.All(c => c is > ' ' and <= '~' and not '%'))
                request.Add(new("x-forwarded-prefix", prefix));
            else
                annotations.Error("x-forwarded-prefix", $"'{prefix}' is no path");
        }

        var filter = new HeaderFilter { Request = new() { Set = request.ToValueList() }, Response = new() { Set = Lines("response-headers", annotations).ToValueList() } };
        return filter == new HeaderFilter() ? [] : [filter];
    }

    // One `Name: value` in each line. A percent sign is one: variables are for those who write routes.
    private static List<HeaderValue> Lines(string name, IngressAnnotations annotations)
    {
        var values = new List<HeaderValue>();
        foreach (var line in (annotations.Text(name) ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                annotations.Error(name, "has a line that is not 'Name: value'");
            else if (line.Any(c => c is (< ' ' and not '\t') or '\u007f'))
                annotations.Error(name, "has a control character; take it out");
            else if (HeaderTexts.IsFieldName(line[..colon].Trim(), annotations.Field(name), annotations.Problems))
                values.Add(new(line[..colon].Trim(), line[(colon + 1)..].Trim().Replace("%", "%%", StringComparison.Ordinal)));
        }

        return values;
    }
}
