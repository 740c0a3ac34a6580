using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>What the service sees, how much, and for how long.</summary>
internal static partial class ForwardingReader
{
    /// <summary>Null: as the listener says. `8m`, `512k`, `1g` or bytes; 0 is any.</summary>
    public static long? BodySize(IngressAnnotations annotations)
    {
        if (annotations.Text("proxy-body-size") is not { } text)
            return null;
        var shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (long.TryParse(shift == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size < 1L << 32)
            return size << shift;
        annotations.Error("proxy-body-size", $"'{text}' is no size; write it as 8m, 512k or bytes");
        return null;
    }

    // nginx has one time between two reads and one between two writes; the proxy has one for both.
    public static TimeSpan? IdleTimeout(IngressAnnotations annotations)
    {
        var (read, send) = (annotations.Time("proxy-read-timeout"), annotations.Time("proxy-send-timeout"));
        return read is null ? send : send is null || read > send ? read : send;
    }

    public static Rewrite Host(IngressAnnotations annotations)
    {
        if (annotations.Text("upstream-vhost") is not { } host)
            return Rewrite.None;
        if (HostNames.IsHost(host) && !HostNames.IsWildcard(host))
            return new() { Host = host };
        annotations.Error("upstream-vhost", $"'{host}' is no host");
        return Rewrite.None;
    }

    /// <summary>With `\1` for `$1`.</summary>
    public static string? Target(string? target, IngressAnnotations annotations)
    {
        if (target is null)
            return null;
        var own = Group().Replace(target.Replace("\\", "\\\\", StringComparison.Ordinal), @"\$1");
        if (own.StartsWith('/') || own.StartsWith("\\", StringComparison.Ordinal))
        {
            if (!own.Contains('$') && own.AsSpan().IndexOfAny("?# ") < 0 && !own.Any(char.IsControl))
                return own;
        }

        annotations.Close("rewrite-target", $"'{target}' is no path with $1 to $9; it begins with '/', has no query and no other variables");
        return null;
    }

    public static ValueList<string> Aliases(IngressAnnotations annotations)
    {
        var names = new List<string>();
        foreach (var alias in annotations.List("server-alias"))
        {
            if (HostNames.IsHost(alias) && alias != "*")
                names.Add(alias.ToLowerInvariant());
            else
                annotations.Error("server-alias", $"'{alias}' is neither a name nor *.name");
        }

        return names.ToValueList();
    }

    [GeneratedRegex(@"\$([1-9])(?![0-9])")]
    private static partial Regex Group();
}
