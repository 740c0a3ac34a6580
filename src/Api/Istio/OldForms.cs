using System.Text.Json.Nodes;

namespace Weft.Api.Istio;

/// <summary>What writers of old manifests are told: which form is the modern one.</summary>
public static class OldForms
{
    public const string Policy = "security.istio.io/v1beta1 Policy is an old form; write security.istio.io/v1 PeerAuthentication, with selector.matchLabels for podSelector and mtls.mode for peers";

    public const string ServiceMesh = "linkerd.io/v1alpha1 ServiceMesh is no kind of today's Linkerd, and of it only spec.config.service.discovery counts: dns.domain is one more zone of the cluster's names. Who is in the mesh is said by the label weft.dev/mesh";

    /// <summary>Any tree: the schema may be another one than this program's.</summary>
    public static IEnumerable<string> OfVirtualService(JsonObject tree)
    {
        var rules = (tree["spec"] as JsonObject)?["http"] as JsonArray ?? [];
        foreach (var (i, rule) in rules.Index())
        {
            if ((rule as JsonObject)?["rewrite"] is JsonObject rewrite && (rewrite["regex"] is not null || rewrite["replacement"] is not null))
                yield return $"spec.http[{i}].rewrite: regex and replacement are an old form; write uriRegexRewrite with match and rewrite, and \\1 for $1";
        }
    }
}
