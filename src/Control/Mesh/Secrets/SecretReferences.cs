using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Secrets;

/// <summary>What of a Secret is needed.</summary>
[Flags]
internal enum SecretNeeds { None = 0, Certificate = 1, Authorities = 2 }

/// <summary>Where an object names a Secret.</summary>
internal sealed record SecretReference(IObject Object, string Field, string Secret);

/// <summary>Which Secrets units name, and where objects do: also such as have null where a list is, which a user's definition may let in. Pure.</summary>
internal static class SecretReferences
{
    /// <summary>Secrets that a unit names, with what it needs of them.</summary>
    public static IEnumerable<KeyValuePair<string, SecretNeeds>> Of(ConfigUnit unit) => unit.Key.Kind switch
    {
        UnitKind.Listener when UnitCodec.Read(unit) is ListenerUnit listener =>
        [
            .. (listener.Listener.Tls is { } tls ? tls.Certificates.Concat(tls.Hosts.SelectMany(host => host.Certificates)).Distinct() : []).Except(listener.Certificates.Select(file => file.Name)).Select(name => KeyValuePair.Create(name, SecretNeeds.Certificate)),
            .. listener.HostSecrets.Select(host => host.Secret).Concat(listener.ClientSecret is { } clients ? [clients] : []).Distinct().Select(name => KeyValuePair.Create(name, SecretNeeds.Authorities)),
        ],
        UnitKind.Cluster when UnitCodec.Read(unit) is ClusterUnit { Secret: { } name } cluster =>
            [KeyValuePair.Create(name, cluster.Cluster.Tls?.Certificate == name ? SecretNeeds.Certificate | SecretNeeds.Authorities : SecretNeeds.Authorities)],
        _ => [],
    };

    public static IEnumerable<SecretReference> Of(MeshInputs inputs)
    {
        foreach (var gateway in inputs.Gateways)
        {
            foreach (var (i, server) in (gateway.Spec.Servers ?? []).Index().Where(item => item.Item?.Tls is not null))
            {
                foreach (var (field, name) in Names(server.Tls!).Where(pair => !string.IsNullOrEmpty(pair.Name)))
                    yield return new(gateway, $"spec.servers[{i}].tls.{field}", $"{inputs.Settings.FrontDoorNamespace}/{name}");
            }
        }

        foreach (var rule in inputs.DestinationRules)
        {
            foreach (var (field, tls) in Policies(rule.Spec).Where(pair => !string.IsNullOrEmpty(pair.Tls?.CredentialName)))
                yield return new(rule, $"{field}.credentialName", $"{rule.Metadata.Namespace}/{tls!.CredentialName}");
        }
    }

    private static IEnumerable<(string Field, string? Name)> Names(ServerTLSSettings tls) =>
        [("credentialName", tls.CredentialName), .. (tls.CredentialNames ?? []).Select((name, i) => ($"credentialNames[{i}]", (string?)name)), ("caCertCredentialName", tls.CaCertCredentialName)];

    private static IEnumerable<(string Field, ClientTLSSettings? Tls)> Policies(DestinationRuleSpec spec) =>
        Policy("spec.trafficPolicy", spec.TrafficPolicy).Concat((spec.Subsets ?? []).SelectMany((subset, i) => Policy($"spec.subsets[{i}].trafficPolicy", subset?.TrafficPolicy)));

    private static IEnumerable<(string, ClientTLSSettings?)> Policy(string field, TrafficPolicy? policy) =>
        policy is null ? [] : [($"{field}.tls", policy.Tls), .. (policy.PortLevelSettings ?? []).Select((port, i) => ($"{field}.portLevelSettings[{i}].tls", port?.Tls))];
}
