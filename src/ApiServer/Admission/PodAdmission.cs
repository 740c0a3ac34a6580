using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Admission;

/// <summary>What the plugins for new pods share.</summary>
internal static class PodAdmission
{
    public const string MirrorAnnotation = "kubernetes.io/config.mirror";

    /// <summary>The spec of a pod that is being created; null for any other request.</summary>
    public static JsonObject? NewPodSpec(AdmissionRequest request) =>
        request is { Operation: AdmissionOperation.Create, Subresource: "", Resource: { Group: "", Resource: "pods" } } ? request.Object?["spec"] as JsonObject : null;

    /// <summary>A pod that a node runs from a file of its own and only shows here.</summary>
    public static bool IsMirror(AdmissionRequest request) =>
        (request.Object?["metadata"] as JsonObject)?["annotations"] is JsonObject annotations && annotations.ContainsKey(MirrorAnnotation);

    public static string ServiceAccountOf(JsonObject spec) =>
        Metadata.Text(spec, "serviceAccountName") is { Length: > 0 } name ? name : "default";

    public static ApiException Refuse(AdmissionRequest request, string why) => Statuses.Forbidden(request.Resource, request.Name, why);

    public static JsonArray List(JsonObject parent, string name)
    {
        if (parent[name] is JsonArray list)
            return list;
        list = [];
        parent[name] = list;
        return list;
    }
}
