using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>What a pod's spec needs its node to read, besides the pod itself.</summary>
internal sealed record PodReferences(string Node, IReadOnlySet<string> Secrets, IReadOnlySet<string> ConfigMaps, string ServiceAccount, bool ProjectsToken, IReadOnlySet<string> Claims)
{
    internal static PodReferences Read(JsonObject pod)
    {
        var spec = pod["spec"] as JsonObject;
        var secrets = new HashSet<string>();
        var configMaps = new HashSet<string>();
        foreach (var pull in Objects(spec, "imagePullSecrets"))
            Add(secrets, pull, "name");
        foreach (var volume in Objects(spec, "volumes"))
            ReadVolume(volume, secrets, configMaps);
        foreach (var container in Objects(spec, "initContainers").Concat(Objects(spec, "containers")).Concat(Objects(spec, "ephemeralContainers")))
            ReadContainer(container, secrets, configMaps);
        var claims = new HashSet<string>();
        foreach (var volume in Objects(spec, "volumes"))
        {
            Add(claims, volume["persistentVolumeClaim"], "claimName");
            if (volume["ephemeral"] is not null)
                claims.Add($"{Metadata.Name(pod)}-{Metadata.Text(volume, "name")}");
        }
        // No account stays none: only a mirror pod has none, and its node gets no token for it.
        var tokens = Objects(spec, "volumes").Any(volume => Objects(volume["projected"] as JsonObject, "sources").Any(source => source["serviceAccountToken"] is not null));
        return new PodReferences(Metadata.Text(spec, "nodeName"), secrets, configMaps, Metadata.Text(spec, "serviceAccountName"), tokens, claims);
    }

    private static void ReadVolume(JsonObject volume, HashSet<string> secrets, HashSet<string> configMaps)
    {
        Add(secrets, volume["secret"], "secretName");
        Add(configMaps, volume["configMap"], "name");
        foreach (var source in Objects(volume["projected"] as JsonObject, "sources"))
        {
            Add(secrets, source["secret"], "name");
            Add(configMaps, source["configMap"], "name");
        }

        // Drivers' secrets: in whichever member they stand, it is one level down.
        foreach (var (_, source) in volume)
            Add(secrets, (source as JsonObject)?["secretRef"], "name");
    }

    private static void ReadContainer(JsonObject container, HashSet<string> secrets, HashSet<string> configMaps)
    {
        foreach (var source in Objects(container, "envFrom"))
        {
            Add(secrets, source["secretRef"], "name");
            Add(configMaps, source["configMapRef"], "name");
        }

        foreach (var from in Objects(container, "env").Select(e => e["valueFrom"]).OfType<JsonObject>())
        {
            Add(secrets, from["secretKeyRef"], "name");
            Add(configMaps, from["configMapKeyRef"], "name");
        }
    }

    private static IEnumerable<JsonObject> Objects(JsonObject? parent, string name) => (parent?[name] as JsonArray)?.OfType<JsonObject>() ?? [];

    private static void Add(HashSet<string> names, JsonNode? reference, string member)
    {
        if (Metadata.Text(reference as JsonObject, member) is { Length: > 0 } name)
            names.Add(name);
    }
}
