using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>Gives a pod its service account and, unless it declines, the account's token, the cluster's certificate and its namespace as files.</summary>
internal sealed class ServiceAccountAdmission(StoredObjects objects, ObjectNames names, TimeProvider time) : IAdmission
{
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    // Kubernetes' odd number tells this token from one that asked for an hour.
    private const int TokenSeconds = 3607;

    // A namespace and its pods often come in one file: the default account is made a moment after the namespace.
    private const int LookupAttempts = 40;
    private static readonly TimeSpan LookupPause = TimeSpan.FromMilliseconds(50);

    public string Name => "ServiceAccount";

    public async ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (PodAdmission.NewPodSpec(request) is not { } spec || PodAdmission.IsMirror(request))
            return;

        var name = PodAdmission.ServiceAccountOf(spec);
        spec["serviceAccountName"] = name;
        spec["serviceAccount"] = name; // the field's older name, which clients still read
        var account = await FindAsync(request.Namespace, name, cancellationToken)
            ?? throw PodAdmission.Refuse(request, $"error looking up service account {request.Namespace}/{name}: serviceaccount \"{name}\" not found");

        if (spec["imagePullSecrets"] is not JsonArray { Count: > 0 } && account["imagePullSecrets"] is JsonArray { Count: > 0 } secrets)
            spec["imagePullSecrets"] = secrets.DeepClone();
        if (spec["automountServiceAccountToken"].AsBoolean() ?? account["automountServiceAccountToken"].AsBoolean() ?? true)
            Mount(spec);
    }

    private async ValueTask<JsonObject?> FindAsync(string ns, string name, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (objects.Get("", "serviceaccounts", ns, name) is { } found)
                return found;
            if (name != "default" || attempt == LookupAttempts)
                return null;
            await Task.Delay(LookupPause, time, cancellationToken);
        }
    }

    private void Mount(JsonObject spec)
    {
        var containers = Containers(spec).Where(container => !Mounts(container)).ToList();
        if (containers.Count == 0)
            return;

        // A pod that was copied from a running one brings the volume with it.
        var volumes = PodAdmission.List(spec, "volumes");
        var volume = volumes.OfType<JsonObject>().Select(own => Metadata.Text(own, "name")).FirstOrDefault(own => own.StartsWith("kube-api-access-", StringComparison.Ordinal));
        if (volume is null)
        {
            volume = "kube-api-access-" + names.Suffix();
            volumes.Add(TokenVolume(volume));
        }
        foreach (var container in containers)
            PodAdmission.List(container, "volumeMounts").Add(new JsonObject { ["name"] = volume, ["readOnly"] = true, ["mountPath"] = MountPath });
    }

    private static IEnumerable<JsonObject> Containers(JsonObject spec) =>
        ((spec["initContainers"] as JsonArray) ?? []).Concat(spec["containers"] as JsonArray ?? []).OfType<JsonObject>();

    private static bool Mounts(JsonObject container) =>
        (container["volumeMounts"] as JsonArray)?.OfType<JsonObject>().Any(mount => Metadata.Text(mount, "mountPath") == MountPath) ?? false;

    private static JsonObject TokenVolume(string name) => new()
    {
        ["name"] = name,
        ["projected"] = new JsonObject
        {
            ["defaultMode"] = 420,
            ["sources"] = new JsonArray(
                new JsonObject { ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = TokenSeconds, ["path"] = "token" } },
                new JsonObject
                {
                    ["configMap"] = new JsonObject
                    {
                        ["name"] = "kube-root-ca.crt",
                        ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }),
                    },
                },
                new JsonObject
                {
                    ["downwardAPI"] = new JsonObject
                    {
                        ["items"] = new JsonArray(new JsonObject
                        {
                            ["path"] = "namespace",
                            ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                        }),
                    },
                }),
        },
    };
}
