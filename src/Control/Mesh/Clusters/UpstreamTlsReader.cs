using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Clusters;

/// <summary>TLS towards a host. What cannot be verified as it is written leaves the cluster without endpoints: a connection that trusts too much is worse than none.</summary>
internal static class UpstreamTlsReader
{
    public static ClusterUnit Read(ClusterUnit unit, Istio.ClientTLSSettings? tls, string field, string @namespace, IReadOnlyList<string> hostNames, Problems problems)
    {
        var before = problems.Errors;
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
                if (tls.ClientCertificate is not null || tls.PrivateKey is not null || tls.CaCertificates is not null)
                    problems.Error(field, "has files, and ISTIO_MUTUAL takes the mesh's own certificates; leave the files out, or write MUTUAL");
                return unit with { Mesh = MeshTls.Always };
            case "SIMPLE" or "MUTUAL":
                return Own(unit, tls, field, @namespace, hostNames, problems);
            default:
                problems.Error($"{field}.mode", $"'{tls.Mode}' is none of DISABLE, SIMPLE, MUTUAL and ISTIO_MUTUAL");
                return unit;
        }
    }

    private static ClusterUnit Own(ClusterUnit unit, Istio.ClientTLSSettings tls, string field, string @namespace, IReadOnlyList<string> hostNames, Problems problems)
    {
        var shows = tls.Mode == "MUTUAL" && tls.CredentialName is null;
        if (shows && (string.IsNullOrEmpty(tls.ClientCertificate) || string.IsNullOrEmpty(tls.PrivateKey)))
            problems.Error(field, "needs clientCertificate and privateKey with MUTUAL");
        if (tls.Mode == "SIMPLE" && (tls.ClientCertificate is not null || tls.PrivateKey is not null))
            problems.Error(field, "has a certificate of its own, which SIMPLE does not show; write MUTUAL");
        var certificate = shows && tls is { ClientCertificate.Length: > 0, PrivateKey.Length: > 0 }
            ? new CertificateConfig { Name = $"cluster {unit.Cluster.Name}", Chain = new() { File = tls.ClientCertificate }, Key = new() { File = tls.PrivateKey } } : null;
        if (tls.CredentialName is not null && (tls.ClientCertificate is not null || tls.PrivateKey is not null || tls.CaCertificates is not null))
            problems.Error(field, "has credentialName beside files; keep one");
        // Only a Secret of the rule's own namespace: who may write rules may not thereby use others' keys.
        var secret = string.IsNullOrEmpty(tls.CredentialName) ? null : $"{@namespace}/{tls.CredentialName}";
        var names = tls.SubjectAltNames.Count > 0 ? tls.SubjectAltNames : hostNames;
        return unit with
        {
            Mesh = MeshTls.Never, Certificate = certificate, Secret = secret,
            Cluster = unit.Cluster with
            {
                Tls = new()
                {
                    ServerName = string.IsNullOrEmpty(tls.Sni) ? HostNames.IsWildcard(unit.Host) || unit.Host.Length == 0 ? null : unit.Host : tls.Sni,
                    Authorities = string.IsNullOrEmpty(tls.CaCertificates) || tls.CaCertificates == "system" ? null : new() { File = tls.CaCertificates },
                    Names = names.Select(StringMatch.Exact).ToValueList(), SkipVerification = tls.InsecureSkipVerify == true, Certificate = certificate?.Name ?? (tls.Mode == "MUTUAL" ? secret : null),
                },
            },
        };
    }
}
