using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Hosts;

/// <summary>Names of hosts: short ones made whole, wildcards, and who may see what.</summary>
internal static class HostNames
{
    /// <inheritdoc cref="RuledHosts.Whole"/>
    public static string Whole(string host, string @namespace, string domain) => RuledHosts.Whole(host, @namespace, domain);

    public static bool IsWildcard(string host) => host.StartsWith('*');

    /// <summary>RFC 1123 names, `*.name` or `*`.</summary>
    public static bool IsHost(string host)
    {
        if (host == "*")
            return true;
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        return name.Length is > 0 and <= 253
            && name.Split('.').All(label => label.Length is > 0 and <= 63 && !label.StartsWith('-') && !label.EndsWith('-') && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
    }

    /// <inheritdoc cref="RuledHosts.Covers"/>
    public static bool Covers(string pattern, string host) => RuledHosts.Covers(pattern, host);

    /// <summary>The part of both that is the same; null: none.</summary>
    public static string? Common(string one, string other) => Covers(one, other) ? other : Covers(other, one) ? one : null;

    /// <summary>Exact before the longest wildcard before `*`.</summary>
    public static int Rank(string host) => host == "*" ? 0 : IsWildcard(host) ? host.Length : 100_000 + host.Length;

    /// <param name="client">Null: any namespace that has no rules of its own.</param>
    public static bool IsExported(IReadOnlyList<string> exportTo, string owner, string? client)
        => exportTo.Count == 0 || Counted(exportTo).Any(to => to switch { "*" => true, "." => client == owner, "~" => false, _ => client == to });

    /// <summary>Namespaces that see it; `*`: all.</summary>
    public static ValueList<string> Shown(IReadOnlyList<string> exportTo, string owner) =>
        IsExported(exportTo, owner, null) ? ["*"] : Chosen(exportTo, owner).Distinct().Order(StringComparer.Ordinal).ToValueList();

    /// <summary>Namespaces that see what others do not.</summary>
    public static IEnumerable<string> Chosen(IReadOnlyList<string> exportTo, string owner)
        => Counted(exportTo).Contains("*") ? [] : Counted(exportTo).Where(to => to != "~").Select(to => to == "." ? owner : to);

    /// <summary>As far as it counts.</summary>
    public static IEnumerable<string> Counted(IReadOnlyList<string> exportTo) => exportTo.Count > VirtualServiceSpec.MostExports ? exportTo.Take(VirtualServiceSpec.MostExports) : exportTo;

    /// <summary>Says what of it does not count.</summary>
    public static void CheckExports(IReadOnlyList<string> exportTo, Problems problems)
    {
        if (exportTo.Count > VirtualServiceSpec.MostExports)
            problems.Error($"spec.exportTo[{VirtualServiceSpec.MostExports}]", $"is one too many: an object is exported to {VirtualServiceSpec.MostExports} namespaces at most, and the others of these {exportTo.Count} are left out; write \"*\", or several objects");
    }
}
