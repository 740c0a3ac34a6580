using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Api.Json;

namespace Weft.Api.Quotas;

/// <summary>What one object uses of quotas, by the names that a quota's `hard` may have. Pure, and the same for who admits and who counts.</summary>
public static class QuotaUsage
{
    private const string OfClass = ".storageclass.storage.k8s.io/";

    // Their plain name counts them too, from the time before `count/`.
    private static readonly HashSet<string> PlainNames = ["services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims"];

    public static IReadOnlyDictionary<string, Quantity> Of(string group, string resource, JsonObject tree)
    {
        var used = new Dictionary<string, Quantity> { [CountName(group, resource)] = One };
        if (group.Length > 0)
            return used;
        if (PlainNames.Contains(resource))
            used[resource] = One;
        switch (resource)
        {
            case "pods":
                Pod(used, ApiJson.FromTree<Pod>(tree));
                break;
            case "services":
                Service(used, ApiJson.FromTree<Service>(tree));
                break;
            case "persistentvolumeclaims":
                Claim(used, ApiJson.FromTree<PersistentVolumeClaim>(tree));
                break;
        }
        return used;
    }

    private static Quantity One => Quantity.FromUnits(1);

    /// <summary>`count/pods`, `count/deployments.apps`.</summary>
    public static string CountName(string group, string resource) => group.Length == 0 ? "count/" + resource : $"count/{resource}.{group}";

    /// <summary>Group and resource whose objects use what the name stands for.</summary>
    public static (string Group, string Resource) KindOf(string name)
    {
        if (name.StartsWith("count/", StringComparison.Ordinal))
            return name[6..].Split('.', 2) is [var plural, var group] ? (group, plural) : ("", name[6..]);
        if (PlainNames.Contains(name))
            return ("", name);
        if (name.StartsWith("services.", StringComparison.Ordinal))
            return ("", "services");
        return name == "requests.storage" || name.Contains(OfClass, StringComparison.Ordinal) ? ("", "persistentvolumeclaims") : ("", "pods");
    }

    /// <summary>Amounts of containers, which each container must name when a quota limits them: otherwise anything could run past it.</summary>
    public static bool IsCompute(string name) =>
        name is "cpu" or "memory" or "ephemeral-storage" or "requests.cpu" or "requests.memory" or "requests.ephemeral-storage" or "limits.cpu" or "limits.memory" or "limits.ephemeral-storage";

    /// <summary>It has ended: nothing of it is reserved any more.</summary>
    public static bool HasEnded(JsonObject pod) => (pod["status"] as JsonObject)?["phase"] is JsonValue phase && phase.TryGetValue<string>(out var text) && text is "Succeeded" or "Failed";

    private static void Pod(Dictionary<string, Quantity> used, Pod pod)
    {
        if (pod.Status.Phase is "Succeeded" or "Failed")
            return;
        used["pods"] = One;
        foreach (var (name, amount) in PodAmounts.Requests(pod.Spec))
        {
            used["requests." + name] = amount;
            if (!name.Contains('/'))
                used[name] = amount;
        }
        foreach (var (name, amount) in PodAmounts.Limits(pod.Spec))
        {
            if (!name.Contains('/'))
                used["limits." + name] = amount;
        }
    }

    private static void Service(Dictionary<string, Quantity> used, Service service)
    {
        var ports = Quantity.FromUnits(service.Spec.Ports.Count);
        switch (service.Spec.Type)
        {
            case "NodePort":
                used["services.nodeports"] = ports;
                break;
            case "LoadBalancer":
                used["services.loadbalancers"] = One;
                if (service.Spec.AllocateLoadBalancerNodePorts != false)
                    used["services.nodeports"] = ports;
                break;
        }
    }

    private static void Claim(Dictionary<string, Quantity> used, PersistentVolumeClaim claim)
    {
        var size = claim.Spec.Resources?.Requests.GetValueOrDefault("storage") ?? Quantity.Zero;
        used["requests.storage"] = size;
        if (claim.Spec.StorageClassName is not { Length: > 0 } name)
            return;
        used[name + OfClass + "persistentvolumeclaims"] = One;
        used[name + OfClass + "requests.storage"] = size;
    }
}
