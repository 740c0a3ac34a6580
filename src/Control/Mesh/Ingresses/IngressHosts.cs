using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Hosts that Ingresses speak for, on 80 and on 443.</summary>
internal static class IngressHosts
{
    /// <summary>Each name once; `*` for rules without a host and for the default backend.</summary>
    public static IEnumerable<string> Of(Ingress ingress)
    {
        var annotations = new IngressAnnotations(ingress, Problems.Of(ingress, []));
        var names = ingress.Spec.Rules.Where(rule => rule.Http is { Paths.Count: > 0 } || ingress.Spec.DefaultBackend is not null).Select(NameOf).Where(HostNames.IsHost).ToList();
        if (ingress.Spec.DefaultBackend is not null && !annotations.Flag("canary"))
            names.Add("*");
        return names.Exists(name => name != "*") ? names.Concat(ForwardingReader.Aliases(annotations)).Distinct() : names.Distinct();
    }

    public static string NameOf(IngressRule rule) => string.IsNullOrEmpty(rule.Host) ? "*" : rule.Host.ToLowerInvariant();

    /// <summary>Whether a certificate of the Ingress is for the host: it names it, or no hosts at all.</summary>
    public static bool HasTls(Ingress ingress, string host)
        => ingress.Spec.Tls.Any(tls => tls.Hosts.Count == 0 || tls.Hosts.Any(name => CoversOneLabel(name.ToLowerInvariant(), host)));

    /// <summary>Secrets with certificates that are there.</summary>
    public static IEnumerable<string> Certificates(Ingress ingress, MeshLookups lookups, Problems problems)
    {
        foreach (var (i, tls) in ingress.Spec.Tls.Index())
        {
            var field = $"spec.tls[{i}].secretName";
            if (tls.SecretName is not { Length: > 0 } name)
                problems.Error(field, "is missing: the front door has no certificate of its own, so https is not served for these hosts");
            else if (lookups.Secret(ingress.Metadata.Namespace ?? "", name) is not { } secret)
                problems.Error(field, $"there is no Secret '{name}'; https is not served for these hosts until there is");
            else if (!secret.HasCertificate)
                problems.Error(field, $"Secret '{name}' has no tls.crt and tls.key; https is not served for these hosts");
            else
                yield return $"{secret.Namespace}/{secret.Name}";
        }
    }

    /// <summary>Secrets with certificates that are there, each with those of the hosts that it is for.</summary>
    public static IEnumerable<(string Secret, IEnumerable<string> Hosts)> Covered(Ingress ingress, IReadOnlyList<string> hosts, MeshLookups lookups)
    {
        foreach (var tls in ingress.Spec.Tls.Where(tls => !string.IsNullOrEmpty(tls.SecretName)))
        {
            if (lookups.Secret(ingress.Metadata.Namespace ?? "", tls.SecretName!) is { HasCertificate: true } secret)
                yield return ($"{secret.Namespace}/{secret.Name}", hosts.Where(host => tls.Hosts.Count == 0 || tls.Hosts.Any(name => CoversOneLabel(name.ToLowerInvariant(), host))));
        }
    }

    public static void Check(Ingress ingress, Problems problems)
    {
        foreach (var (i, rule) in ingress.Spec.Rules.Index())
        {
            if (!HostNames.IsHost(NameOf(rule)))
                problems.Error($"spec.rules[{i}].host", $"'{rule.Host}' is neither a name nor *.name");
            if (rule.Http is not { Paths.Count: > 0 } && ingress.Spec.DefaultBackend is null)
                problems.Error($"spec.rules[{i}].http", "is missing: the host has no paths");
        }

        if (ingress.Spec.Rules.Count == 0 && ingress.Spec.DefaultBackend is null)
            problems.Error("spec", "has neither rules nor defaultBackend");
        foreach (var (i, tls) in ingress.Spec.Tls.Index())
        {
            foreach (var (j, host) in tls.Hosts.Index().Where(item => !ingress.Spec.Rules.Any(rule => CoversOneLabel(item.Item.ToLowerInvariant(), NameOf(rule)) || NameOf(rule) == "*")))
                problems.Warn($"spec.tls[{i}].hosts[{j}]", $"'{host}' is the host of no rule, so its certificate is never shown");
        }
    }

    /// <summary>Kubernetes: the asterisk is one label.</summary>
    public static bool CoversOneLabel(string pattern, string host)
        => pattern == host || (pattern.StartsWith("*.", StringComparison.Ordinal) && HostNames.Covers(pattern, host) && !host.StartsWith('*') && !host[..^(pattern.Length - 1)].Contains('.'));
}
