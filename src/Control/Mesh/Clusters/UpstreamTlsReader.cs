using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Clusters;

/// <summary>TLS towards a host. What cannot be verified as it is written leaves the cluster without endpoints: a connection that trusts too much is worse than none.</summary>
internal static class UpstreamTlsReader
{
    /// <summary>In place of a file: the authorities of the machine, which are also the default.</summary>
    private const string OfTheMachine = "system";

    public static ClusterUnit Read(ClusterUnit unit, Istio.ClientTLSSettings? tls, string field, string @namespace, IReadOnlyList<string> hostNames, Problems problems)
    {
        var before = problems.Errors;
        if (tls is not null)
            Files(tls, field, problems);
        var result = Mode(unit, tls, field, @namespace, hostNames, problems);
        var isOpen = tls is { Mode: "SIMPLE" or "MUTUAL", CaCrl: not null };
        problems.UnsupportedIf(tls is { Mode: "SIMPLE" or "MUTUAL", CaCrl: not null }, $"{field}.caCrl", "nothing is sent to the host: revoked certificates would not be found out");
        return problems.Errors > before || isOpen ? Closed(result) : result;
    }

    public static ClusterUnit Closed(ClusterUnit unit) => unit with { Host = "", Cluster = unit.Cluster with { Dns = null }, OriginalAddress = false };

    private static ClusterUnit Mode(ClusterUnit unit, Istio.ClientTLSSettings? tls, string field, string @namespace, IReadOnlyList<string> hostNames, Problems problems)
    {
        switch (tls?.Mode)
        {
            case null:
                if (tls is not null)
                    problems.Error($"{field}.mode", "is missing; DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL");
                return unit;
            case "DISABLE":
                return unit with { Mesh = MeshTls.Never };
            case "ISTIO_MUTUAL":
                if (tls.CaCertificates == OfTheMachine || !string.IsNullOrEmpty(tls.CredentialName))
                    problems.Error(field, "has authorities or a Secret, and ISTIO_MUTUAL takes the mesh's own certificates; leave them out, or write MUTUAL and credentialName");
                return unit with { Mesh = MeshTls.Always };
            case "SIMPLE" or "MUTUAL":
                return Own(unit, tls, field, @namespace, hostNames, problems);
            default:
                problems.Error($"{field}.mode", $"'{tls.Mode}' is none of DISABLE, SIMPLE, MUTUAL and ISTIO_MUTUAL");
                return unit;
        }
    }

    // In Istio these are files of the client's own sidecar. Here all pods of a node share one proxy: whoever may write rules would use that proxy's files, the cluster's keys among them.
    private static void Files(Istio.ClientTLSSettings tls, string field, Problems problems)
    {
        var files = new[] { ("clientCertificate", tls.ClientCertificate), ("privateKey", tls.PrivateKey), ("caCertificates", tls.CaCertificates == OfTheMachine ? null : tls.CaCertificates) };
        foreach (var (name, _) in files.Where(file => !string.IsNullOrEmpty(file.Item2)))
            problems.Error($"{field}.{name}", "is a file, and the node's proxy reads no files for those who share it, so nothing is sent to the host; use credentialName, a Secret of the rule's namespace");
    }

    private static ClusterUnit Own(ClusterUnit unit, Istio.ClientTLSSettings tls, string field, string @namespace, IReadOnlyList<string> hostNames, Problems problems)
    {
        if (tls.Mode == "MUTUAL" && string.IsNullOrEmpty(tls.CredentialName))
            problems.Error($"{field}.credentialName", "is missing with MUTUAL: a Secret of the rule's namespace with the certificate and its key");
        if (tls.CaCertificates == OfTheMachine && !string.IsNullOrEmpty(tls.CredentialName))
            problems.Error(field, "has credentialName beside caCertificates; keep one");
        // Only a Secret of the rule's own namespace: who may write rules may not thereby use others' keys.
        var secret = string.IsNullOrEmpty(tls.CredentialName) ? null : $"{@namespace}/{tls.CredentialName}";
        var names = tls.SubjectAltNames.Count > 0 ? tls.SubjectAltNames : hostNames;
        return unit with
        {
            Mesh = MeshTls.Never, Secret = secret,
            Cluster = unit.Cluster with
            {
                Tls = new()
                {
                    ServerName = string.IsNullOrEmpty(tls.Sni) ? HostNames.IsWildcard(unit.Host) || unit.Host.Length == 0 ? null : unit.Host : tls.Sni,
                    Names = names.Select(StringMatch.Exact).ToValueList(), SkipVerification = tls.InsecureSkipVerify == true, Certificate = tls.Mode == "MUTUAL" ? secret : null,
                },
            },
        };
    }
}
