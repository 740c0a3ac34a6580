namespace Weft.Api.Istio;

/// <summary>For which hosts an object of the mesh speaks, for whoever decides without compiling it.</summary>
public static class RuledHosts
{
    /// <summary>Annotation of a destination rule: hosts that take over, in order, as `web-backup, web-far.other.svc.cluster.local:8080`.</summary>
    public const string BackupAnnotation = "weft.dev/backup";

    private const string Mesh = "mesh";

    /// <summary>`web` in namespace `shop` is `web.shop.svc.cluster.local`; a name with a dot or a wildcard is whole (Istio's rule).</summary>
    public static string Whole(string host, string @namespace, string domain)
        => host.Contains('.') || host.Contains('*') ? host.ToLowerInvariant() : $"{host.ToLowerInvariant()}.{@namespace}.svc.{domain}";

    /// <summary>Whether all that <paramref name="host"/> names is named by <paramref name="pattern"/>, too.</summary>
    public static bool Covers(string pattern, string host)
        => pattern == "*" || pattern == host || (pattern.StartsWith("*.", StringComparison.Ordinal) && host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.Ordinal));

    /// <summary>Whole names and wildcards that something else than their own endpoints may answer for, to clients in the mesh.</summary>
    public static IEnumerable<string> Of(VirtualService rules, string domain)
        => rules.Spec.Gateways.Count > 0 && !rules.Spec.Gateways.Contains(Mesh) ? [] : rules.Spec.Hosts.Select(host => Whole(host, rules.Metadata.Namespace ?? "", domain));

    /// <inheritdoc cref="Of(VirtualService, string)"/>
    public static IEnumerable<string> Of(DestinationRule rule, string domain)
        => rule.Metadata.Annotations.ContainsKey(BackupAnnotation) ? [Whole(rule.Spec.Host, rule.Metadata.Namespace ?? "", domain)] : [];
}
