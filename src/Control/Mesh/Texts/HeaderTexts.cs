using System.Buffers;
using System.Text;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Texts;

/// <summary>Edits of header fields, with Envoy's variables in the proxy's words.</summary>
internal static class HeaderTexts
{
    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What frames a message is the codecs' alone (RFC 9112 section 6, RFC 9113 section 8.2.2).
    private static readonly HashSet<string> Framing =
        new(["connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "proxy-connection", "http2-settings"], StringComparer.OrdinalIgnoreCase);

    /// <summary>RFC 9110 section 5.6.2.</summary>
    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(Token);

    public static bool IsFieldName(string name, string field, Problems problems)
    {
        if (IsToken(name) && !Framing.Contains(name))
            return true;
        problems.Error(field, Framing.Contains(name) ? $"'{name}' frames messages and is the proxy's own; leave it out" : $"'{name}' is no name of a header field");
        return false;
    }

    public static HeaderEdits Edits(Istio.HeaderOperations? operations, string field, Problems problems) => operations is null ? HeaderEdits.None : new()
    {
        Set = Values(operations.Set, $"{field}.set", problems),
        Add = Values(operations.Add, $"{field}.add", problems),
        Remove = operations.Remove.Where((name, i) => IsFieldName(name, $"{field}.remove[{i}]", problems)).ToValueList(),
    };

    private static ValueList<HeaderValue> Values(IReadOnlyDictionary<string, string> pairs, string field, Problems problems)
    {
        var values = new List<HeaderValue>();
        foreach (var (name, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var at = $"{field}.{name}";
            // The host has one place in the proxy, whatever the protocol calls it.
            var isHost = name.Equals("host", StringComparison.OrdinalIgnoreCase) || name == ":authority";
            if (!isHost && !IsFieldName(name, at, problems))
                continue;
            if (value.Any(c => c is (< ' ' and not '\t') or '\u007f'))
                problems.Error(at, "has a control character; take it out");
            else if (Variables(value, at, problems) is { } text)
                values.Add(new(isHost ? ":authority" : name, text));
        }

        return values.ToValueList();
    }

    private static string? Variables(string value, string field, Problems problems)
    {
        var text = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '%')
            {
                text.Append(value[i]);
                continue;
            }

            var end = value.IndexOf('%', i + 1);
            if (end < 0)
            {
                problems.Error(field, "has a single '%'; a percent sign is written '%%'");
                return null;
            }

            var name = value[(i + 1)..end];
            var own = name switch
            {
                "" => "%%",
                "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => "%CLIENT_ADDRESS%",
                "DOWNSTREAM_PEER_URI_SAN" => "%CLIENT_IDENTITY%",
                "REQUESTED_SERVER_NAME" => "%SERVER_NAME%",
                "PROTOCOL" or "START_TIME" => null,
                _ when name.StartsWith("REQ(", StringComparison.Ordinal) && name.EndsWith(')') && !name.Contains('?') => name[4..^1] switch
                {
                    ":AUTHORITY" or ":authority" => "%HOST%",
                    ":METHOD" or ":method" => "%METHOD%",
                    ":PATH" or ":path" => "%PATH%",
                    ":SCHEME" or ":scheme" => "%SCHEME%",
                    var header when IsToken(header) => $"%{name}%",
                    _ => null,
                },
                _ => null,
            };
            if (own is null)
            {
                problems.Unsupported(field, $"'%{name}%' is not known; use %REQ(name)%, %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%, %DOWNSTREAM_PEER_URI_SAN% or a fixed text");
                return null;
            }

            text.Append(own);
            i = end;
        }

        return text.ToString();
    }
}
