using System.Text;

namespace Weft.ApiServer.Http;

/// <summary>
/// Reads a <see cref="RequestInfo"/> from method, raw target and query. It works on the raw target, not on a path that a server has normalised, so that
/// authorization and dispatch see the same segments: encoded slashes, dot segments and empty segments are refused, never interpreted.
/// </summary>
internal static class RequestInfoParser
{
    private const int MaxTargetLength = 16 * 1024; // Kestrel's default request line limit is 8 KiB; the in-process handler has none of its own

    public static RequestInfo Parse(string method, string rawTarget, QueryValues query)
    {
        var segments = Split(rawTarget);
        var path = "/" + string.Join('/', segments);
        if (segments.Count < 3 || segments[0] is not ("api" or "apis"))
            return new RequestInfo(path, method.ToLowerInvariant());

        var isCore = segments[0] == "api";
        if (!isCore && segments.Count < 4)
            return new RequestInfo(path, method.ToLowerInvariant());

        var (group, version, rest) = isCore ? ("", segments[1], segments[2..]) : (segments[1], segments[2], segments[3..]);
        var info = Resource(rest) with { Path = path, IsResource = true, Group = group, Version = version };
        var verb = Verb(method, info.Name.Length > 0, query);
        if (verb is "list" or "watch" or "deletecollection" && info.Name.Length == 0)
            info = info with { Name = SingleName(query.Last("fieldSelector")) };
        return info with { Verb = verb };
    }

    private static RequestInfo Resource(List<string> parts)
    {
        var info = new RequestInfo("", "");
        if (parts[0] == "namespaces" && parts.Count > 1)
        {
            // The namespace itself and its two subresources; anything else after the name is a resource inside the namespace.
            if (parts.Count == 2 || parts[2] is "status" or "finalize")
                return info with { Resource = "namespaces", Namespace = parts[1], Name = parts[1], Subresource = Tail(parts, 2) };
            info = info with { Namespace = parts[1] };
            parts = parts[2..];
        }

        return info with { Resource = parts[0], Name = parts.Count > 1 ? parts[1] : "", Subresource = Tail(parts, 2) };
    }

    // `proxy/a/b` stays one subresource with its path: dispatch knows which subresources may have one.
    private static string Tail(List<string> parts, int from) => parts.Count > from ? string.Join('/', parts[from..]) : "";

    private static string Verb(string method, bool named, QueryValues query) => method switch
    {
        "GET" or "HEAD" when named => "get",
        "GET" or "HEAD" => query.Flag("watch") ? "watch" : "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => named ? "delete" : "deletecollection",
        _ => method.ToLowerInvariant(),
    };

    // A rule with resourceNames also lets a client list or watch that one object by field selector.
    private static string SingleName(string? fieldSelector)
    {
        const string head = "metadata.name=";
        if (fieldSelector is null || !fieldSelector.StartsWith(head, StringComparison.Ordinal))
            return "";
        var name = fieldSelector[head.Length..].TrimStart('=');
        return name.AsSpan().IndexOfAny(",=!\\") < 0 ? name : "";
    }

    private static List<string> Split(string rawTarget)
    {
        if (rawTarget.Length > MaxTargetLength)
            throw Statuses.BadRequest($"the request target is longer than {MaxTargetLength} characters");
        if (rawTarget.Length == 0 || rawTarget[0] != '/')
            throw Statuses.BadRequest("the request target must be a path");

        var end = rawTarget.IndexOfAny(['?', '#']);
        var path = end < 0 ? rawTarget : rawTarget[..end];
        if (path.Length == 1)
            return [];

        var segments = new List<string>();
        foreach (var raw in path[1..].TrimSuffix('/').Split('/'))
        {
            var segment = raw.Contains('%') ? Decode(raw) : raw;
            if (segment is "" or "." or "..")
                throw Statuses.BadRequest("the path has an empty or dot segment");
            if (segment.AsSpan().IndexOfAny('/', '\\', '%') >= 0 || segment.Any(char.IsControl))
                throw Statuses.BadRequest("a path segment contains '/', '\\', '%' or a control character");
            segments.Add(segment);
        }

        return segments;
    }

    private static string TrimSuffix(this string text, char last) => text.EndsWith(last) ? text[..^1] : text;

    private static string Decode(string raw)
    {
        var bytes = new byte[raw.Length * 3];
        var length = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '%')
            {
                length += Encoding.UTF8.GetBytes(raw.AsSpan(i, 1), bytes.AsSpan(length));
                continue;
            }

            if (i + 2 >= raw.Length || !byte.TryParse(raw.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value))
                throw Statuses.BadRequest("the path has a bad percent encoding");
            bytes[length++] = value;
            i += 2;
        }

        try
        {
            return StrictUtf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw Statuses.BadRequest("the path is not UTF-8");
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
