using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>A pod that says nothing else stays for five minutes on a node that is gone (Kubernetes' DefaultTolerationSeconds).</summary>
internal sealed class DefaultTolerations(int seconds) : IAdmission
{
    public string Name => "DefaultTolerationSeconds";

    public ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Subresource.Length > 0 || request.Resource is not { Group: "", Resource: "pods" } || request.Object?["spec"] is not JsonObject spec)
            return ValueTask.CompletedTask;
        foreach (var taint in (ReadOnlySpan<string>)["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
        {
            if (Tolerates(spec["tolerations"] as JsonArray, taint))
                continue;
            PodAdmission.List(spec, "tolerations").Add(new JsonObject
            {
                ["key"] = taint, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = seconds,
            });
        }
        return ValueTask.CompletedTask;
    }

    private static bool Tolerates(JsonArray? tolerations, string taint) =>
        tolerations?.OfType<JsonObject>().Any(toleration =>
            Metadata.Text(toleration, "key") is var key && (key.Length == 0 || key == taint) && Metadata.Text(toleration, "effect") is "" or "NoExecute") ?? false;
}
